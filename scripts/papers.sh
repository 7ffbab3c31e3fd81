#!/usr/bin/env bash
# Checks web/openapi.json and web/asyncapi.json against a running server, the page that shows them, and the senders in
# examples/. CARILLON_SERVER names another server than the debug build; arguments are those of unittest.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/venv.sh
cd Tests/Papers
if (($# == 0)); then set -- discover --pattern '*_test.py'; fi
# Verbose, so that what was skipped is told.
exec ../../.build/venv/bin/python -B -m unittest "${1}" --verbose "${@:2}"
