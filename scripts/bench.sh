#!/usr/bin/env bash
# Builds for release and measures one user's notifications through sender, server, Redis and client.
# usage: bench.sh [count]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh bench
swift build -c release
exec python3 -B scripts/bench.py "${1:-2000}"
