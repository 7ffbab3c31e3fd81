#!/usr/bin/env bash
# Runs the checks that need no build, all of them even when one fails.
set -uo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh check || exit 1

failed=0

# check <name> <command…>: prints the command's output only when it fails.
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        printf '%-10s ok\n' "$name"
    else
        printf '%-10s FAILED\n%s\n' "$name" "$output"
        failed=1
    fi
}

format() { swift format lint --strict -r -p Package.swift Sources Tests cmd examples/swift; }

shell_syntax() {
    local file status=0
    for file in scripts/*.sh examples/*/*.sh .ci/run; do
        bash -n "$file" || status=1
        [[ -x $file ]] || { echo "$file is not executable"; status=1; }
    done
    return $status
}

# Each fault that chaos-mutants.sh builds in still fits the sources.
mutants() {
    local file status=0
    for file in Tests/Chaos/Mutants/*.patch; do
        git apply --check "$file" || status=1
        grep -q "^$(basename "$file" .patch) " scripts/chaos-mutants.sh || { echo "no run is made for $file"; status=1; }
    done
    return $status
}

# Compiles in memory, so that no .pyc files are left behind.
python_syntax() {
    python3 -c 'import sys
for name in sys.argv[1:]:
    compile(open(name, encoding="utf-8").read(), name, "exec")' scripts/*.py Tests/Browser/*.py Tests/Fuzz/*.py Tests/Papers/*.py examples/*/*.py
}

javascript_syntax() {
    local file status=0
    # Not **: that needs an option of bash, and there are no deeper folders.
    for file in web/*.js web/*/*.js Tests/Browser/*/*.js; do
        # Through standard input, since node takes a .js file without package.json for a script, not a module.
        node --input-type=module --check <"$file" || { echo "in $file"; status=1; }
    done
    return $status
}

check format format
check imports scripts/check-imports.sh
check targets python3 -B scripts/check-dependencies.py
# Debian's own python, since that is the one that python3-yaml is for.
check docs "$([[ -x /usr/bin/python3 ]] && echo /usr/bin/python3 || echo python3)" -B scripts/check-docs.py
check scale python3 -B scripts/scale.py --check
check shell shell_syntax
check mutants mutants
check python python_syntax
if command -v node >/dev/null; then
    check javascript javascript_syntax
else
    printf '%-10s skipped, there is no node\n' javascript
fi
exit "$failed"
