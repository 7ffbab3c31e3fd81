#!/usr/bin/env bash
# Builds server and harness for release and lets the harness loose on the server.
# usage: chaos.sh [option of carillon-chaos…]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh chaos
swift build -c release --product carillon-server
swift build -c release --product carillon-chaos
swift build -c release --product FakeClock
exec "$(swift build -c release --show-bin-path)/carillon-chaos" "$@"
