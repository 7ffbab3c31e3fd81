#!/usr/bin/env bash
# Runs the tests that need a Redis on a cluster of three nodes: all that the store and the built programs are tested for must hold there.
# usage: test-cluster.sh [option of swift test…]
set -uo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test || exit 1
swift build --build-tests && swift build || exit 1

export CARILLON_TEST_TOPOLOGY=cluster
status=0
# One after the other: each test of the store starts a cluster of its own.
swift test --skip-build --no-parallel --filter CarillonStoreTests "$@" || status=1
swift test --skip-build --filter EndToEndTests "$@" || status=1
exit "$status"
