#!/usr/bin/env bash
# Builds server and bench for release and measures.
# usage: bench.sh [option of carillon-bench…]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh bench
swift build -c release --product carillon-server
swift build -c release --product carillon-bench
exec "$(swift build -c release --show-bin-path)/carillon-bench" "$@"
