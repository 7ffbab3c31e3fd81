"""Compares the modules that each target imports with those that Package.swift declares for it.

A module that is imported without being declared is found or not, depending on which target happens to be built first.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

OF_THE_TOOLCHAIN = {
    "Darwin", "Dispatch", "Foundation", "FoundationEssentials", "FoundationXML", "Glibc", "Musl", "Swift", "Synchronization", "Testing",
    "os",
}
IMPORT = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?[ \t]+)*(?:(?:public|package|internal|fileprivate|private)[ \t]+)?import[ \t]+"
    r"(?:(?:struct|class|enum|protocol|actor|typealias|func|let|var)[ \t]+)?(\w+)",
    re.MULTILINE,
)


def folder(target: dict) -> pathlib.Path:
    usual = "Tests" if target["type"] == "test" else "Sources"
    return ROOT / (target.get("path") or f"{usual}/{target['name']}")


def declared(target: dict) -> set[str]:
    return {next(iter(each.values()))[0] for each in target["dependencies"]}


def imported(target: dict) -> set[str]:
    sources = folder(target).rglob("*.swift")
    return {name for source in sources for name in IMPORT.findall(source.read_text(encoding="utf-8"))} - OF_THE_TOOLCHAIN


def main() -> int:
    manifest = subprocess.run(["swift", "package", "dump-package"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    failed = 0
    for target in json.loads(manifest)["targets"]:
        if target["type"] not in {"regular", "executable", "test"}:
            continue
        for module in sorted(imported(target) - declared(target)):
            print(f"{target['name']} imports {module}, which Package.swift does not declare for it")
            failed = 1
        for module in sorted(declared(target) - imported(target)):
            print(f"Package.swift declares {module} for {target['name']}, which does not import it")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
