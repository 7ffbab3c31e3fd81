#!/usr/bin/env bash
# Builds server and attacker for release and attacks.
# usage: hostile.sh [option of carillon-hostile…]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh hostile
swift build -c release --product carillon-server
swift build -c release --product carillon-hostile
exec "$(swift build -c release --show-bin-path)/carillon-hostile" "$@"
