#!/usr/bin/env bash
# Makes .build/venv with what the tests in Python need; does nothing while it matches their requirements.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=(Tests/Browser/requirements.txt Tests/Papers/requirements.txt)
venv=.build/venv
if ! cat "${requirements[@]}" | cmp -s - "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${requirements[@]/#/--requirement=}"
    # Last, so that a broken installation is made anew.
    cat "${requirements[@]}" >"$venv/requirements.txt"
fi
