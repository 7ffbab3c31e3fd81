#!/usr/bin/env python3
"""Checks that what is written beside the code fits it: links between documents, docker-compose.yaml, Dockerfile,
haproxy.cfg, ports, the documents for tools, the commands for Redis."""

import json
import pathlib
import re
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
PORT = 8080
# Variables of a service that are no settings of ours.
FOREIGN_VARIABLES = {"TZ"}

problems: list[str] = []


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(markdown: str) -> set[str]:
    """The anchors that GitHub makes of headings."""
    headings = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", without_code_blocks(markdown), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).replace(" ", "-") for heading in headings}


def without_code_blocks(markdown: str) -> str:
    return re.sub(r"^(```|~~~).*?^\1", "", markdown, flags=re.MULTILINE | re.DOTALL)


def check_links() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True
    )
    # Without git (an unpacked archive) there is no list of what belongs to the project.
    for name in filter(None, listed.stdout.split("\n")):
        document = ROOT / name
        if not document.exists():
            continue
        markdown = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(<?([^)\s>]+)>?[^)]*\)", without_code_blocks(markdown)):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            path, _, anchor = urllib.parse.unquote(target).partition("#")
            linked = (document.parent / path) if path else document
            if not linked.exists():
                problems.append(f"{name}: links to {target}, which does not exist")
            elif anchor and linked.suffix == ".md" and anchor not in anchors(linked.read_text(encoding="utf-8")):
                problems.append(f"{name}: links to {target}, which has no such heading")


def settings_source() -> str:
    """The module that names every setting, each by its environment variable."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "Sources/CarillonConfig").rglob("*.swift")))


def check_settings() -> None:
    if f'":{PORT}"' not in settings_source():
        problems.append(f"CarillonConfig: {PORT} is not the default port, though Dockerfile and docker-compose.yaml use it")
    tables = sorted((ROOT / "Sources/CarillonConfig").rglob("*Table.swift"))
    names = re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', "\n".join(path.read_text(encoding="utf-8") for path in tables))
    if not names:
        problems.append("CarillonConfig: no table of settings was found")
    readme = text("README.md") if (ROOT / "README.md").exists() else ""
    problems.extend(f"README.md: the setting {name} is missing" for name in names if not re.search(rf"\b{name}\b", readme))


def check_containers() -> None:
    dockerfile = text("Dockerfile")
    if f"EXPOSE {PORT}" not in dockerfile:
        problems.append(f"Dockerfile: does not expose {PORT}")
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE):
        problems.extend(f"Dockerfile: copies {name}, which does not exist" for name in source.split() if not (ROOT / name).exists())
    try:
        import yaml
    except ImportError:
        print("docker-compose.yaml was not checked: python has no yaml", file=sys.stderr)
        return
    compose = yaml.safe_load(text("docker-compose.yaml"))
    settings = settings_source()
    services = compose["services"]
    for name, service in services.items():
        check_service(name, service, compose, settings)
    pods = {name: service["environment"] for name, service in services.items() if "build" in service}
    for name, environment in pods.items():
        if environment["REDIS_ADDR"].split(":")[0] not in services:
            problems.append(f"docker-compose.yaml: {name}: REDIS_ADDR names no service")
    if len({environment["POD_ID"] for environment in pods.values()}) < len(pods):
        problems.append("docker-compose.yaml: two pods have one POD_ID")
    check_proxy(services["haproxy"], pods)


def check_proxy(service: dict, pods: dict) -> None:
    """HAProxy must know every pod, and get from its environment what its configuration asks for."""
    where = "docker-compose.yaml: haproxy"
    environment = service["environment"]
    if not any(str(port) == f"{PORT}{environment.get('BIND', '')}" for port in service["ports"]):
        problems.append(f"{where} does not publish {PORT} where it listens")
    addresses = [address for name, address in environment.items() if name.startswith("POD_")]
    if sorted(addresses) != sorted(f"{name}:{PORT}" for name in pods):
        problems.append(f"{where} does not know exactly the pods")
    configuration = text("scripts/haproxy.cfg")
    known = set(re.findall(r"\$\{(\w+)", configuration))
    problems.extend(f"{where} sets {name}, which scripts/haproxy.cfg does not use" for name in environment if name not in known)
    for backend in re.split(r"^backend ", configuration, flags=re.MULTILINE)[1:]:
        servers = re.findall(r'^ *\.if defined\((POD_\d)\)\n +server carillon-(\d) "\$\{(POD_\d)\}".*\n +\.endif$', backend, re.MULTILINE)
        if [*servers] != [(f"POD_{number}", str(number), f"POD_{number}") for number in range(1, 9)]:
            problems.append(f"scripts/haproxy.cfg: backend {backend.split()[0]} does not have POD_1 to POD_8")


def check_service(name: str, service: dict, compose: dict, settings: str) -> None:
    where = f"docker-compose.yaml: {name}"
    if "image" not in service and "build" not in service:
        problems.append(f"{where} needs an image or a build")
    for other in service.get("depends_on", {}):
        awaited = compose["services"].get(other, {})
        # What we build has the health check of the Dockerfile.
        if "healthcheck" not in awaited and not ("build" in awaited and "\nHEALTHCHECK " in text("Dockerfile")):
            problems.append(f"{where} waits for {other}, which has no health check")
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            if not (ROOT / source).exists():
                problems.append(f"{where} mounts {source}, which does not exist")
        elif source not in compose.get("volumes", {}):
            problems.append(f"{where} uses volume {source}, which is not declared")
    if "build" in service:
        for variable in service.get("environment", {}):
            if variable not in FOREIGN_VARIABLES and f'"{variable}"' not in settings:
                problems.append(f"{where} sets {variable}, which is no setting of the server")


def check_papers() -> None:
    """OpenAPI and AsyncAPI: JSON as any formatter writes it with two spaces, and of this version."""
    version = re.search(r'text = "([^"]+)"', text("Sources/CarillonDomain/Version.swift"))[1]
    documents = {}
    for path in sorted((ROOT / "web").rglob("*.json")):
        name = str(path.relative_to(ROOT))
        try:
            documents[path.name] = document = json.loads(text(name))
        except ValueError as error:
            problems.append(f"{name}: is not JSON: {error}")
            continue
        if text(name) != json.dumps(document, indent=2, ensure_ascii=False) + "\n":
            problems.append(f"{name}: is not written with an indent of 2 spaces")
    for name in ("openapi.json", "asyncapi.json"):
        if name in documents and documents[name]["info"]["version"] != version:
            problems.append(f"web/{name}: is of version {documents[name]['info']['version']}, and the program of {version}")


def check_commands() -> None:
    """COMPATIBILITY.md lists the commands that are sent, and its line for Redis's access rights allows them."""
    name = "docs/COMPATIBILITY.md"
    sources = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "Sources").rglob("*.swift")) if is_server(path))
    sent = set(re.findall(r'\b(?:send|call|RedisCommand)\(\s*(?:\.\w+,\s*)?"([A-Z]+)"', sources))
    sent |= set(re.findall(r"redis\.call\('([A-Z]+)'", sources))
    table = re.search(r"<!-- commands -->\n(.*?)<!-- /commands -->", text(name), re.DOTALL)[1]
    listed = set(re.findall(r"^\| `([A-Z]+)`", table, re.MULTILINE))
    problems.extend(f"{name}: the command {command} is missing" for command in sorted(sent - listed))
    problems.extend(f"{name}: lists {command}, which is never sent" for command in sorted(listed - sent))
    rules = re.search(r"^user carillon .+$", text(name), re.MULTILINE)[0]
    allowed = {right.split("|")[0].upper() for right in re.findall(r"\+([a-z|]+)", rules)}
    # The document says what these are for.
    for command in sorted((sent - {"CLUSTER", "CONFIG", "ROLE", "SELECT", "SENTINEL", "WAIT"}) ^ allowed):
        problems.append(f"{name}: the user carillon {'needs not' if command in allowed else 'may not'} {command}")


def is_server(path: pathlib.Path) -> bool:
    return path.relative_to(ROOT / "Sources").parts[0] in ("CarillonRedis", "CarillonStore", "CarillonApp", "CarillonWorkers")


check_links()
check_settings()
check_commands()
check_containers()
check_papers()
for problem in problems:
    print(problem)
sys.exit(bool(problems))
