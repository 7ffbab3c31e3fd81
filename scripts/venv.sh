#!/usr/bin/env bash
# Makes .build/venv with what the browser tests need; does nothing while it matches their requirements.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=Tests/Browser/requirements.txt
venv=.build/venv
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    # Last, so that a broken installation is made anew.
    cp "$requirements" "$venv/requirements.txt"
fi
