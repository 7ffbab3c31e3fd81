#!/usr/bin/env bash
# Runs the Swift tests, and the programs that they start, with a sanitizer built into all Swift and C code of the package.
# usage: sanitize.sh address|thread [option of swift test…]
set -uo pipefail
cd "$(dirname "$0")/.."

kind=${1:?usage: sanitize.sh address|thread [option of swift test…]}
shift
case $kind in
address | thread) ;;
*)
    echo "sanitize.sh: there is no sanitizer '$kind' here" >&2
    exit 64
    ;;
esac
scripts/install.sh test || exit 1

# gold, which Swift links with by default, fails on what sanitizers add.
options=(--sanitize "$kind" --scratch-path ".build/$kind" -Xswiftc -use-ld=lld)
swift build --build-tests "${options[@]}" && swift build "${options[@]}" || exit 1

# Of the tests and of each program that they start; what happened in a program fails the run although no test noticed.
reports=$PWD/.build/$kind-reports
rm -rf "$reports"
mkdir -p "$reports"
export ASAN_OPTIONS=log_path=$reports/report:${ASAN_OPTIONS:-}
export LSAN_OPTIONS=suppressions=$PWD/scripts/sanitizers/leaks.txt:print_suppressions=0:${LSAN_OPTIONS:-}
export TSAN_OPTIONS=log_path=$reports/report:suppressions=$PWD/scripts/sanitizers/races.txt:${TSAN_OPTIONS:-}
# The sanitizer's report of a crash is the better one.
export SWIFT_BACKTRACE=enable=no

# Left out is what measures: the harness and its own tests, the costs of the built server, and how long it stands more than it can do.
skipped='CarillonChaosTests|CarillonLoadTests|CarillonBenchTests|CostTests|SlowConsumerTests|UnreadTests/answers'
# The server's memory is not its own then.
export CARILLON_TEST_SANITIZED=$kind
status=0
# Everything is several times as slow: one test after the other, so that each has the machine to itself. Those that start servers
# have a limit of their own to how many do at a time.
run() { swift test --skip-build "${options[@]}" --skip "$skipped" "$@" || status=1; }
if (($#)); then
    run "$@"
else
    run --no-parallel --skip EndToEndTests
    run --filter EndToEndTests
fi

found=$(find "$reports" -type f | wc -l)
if ((found)); then
    status=1
    find "$reports" -type f -exec head -n 60 {} +
fi
printf '\n%s sanitizer: %d reports\n' "$kind" "$found"
exit "$status"
