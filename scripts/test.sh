#!/usr/bin/env bash
# Runs every test suite, the later ones also when an earlier one failed, and prints at the end what failed, and one line for
# each. The whole output of each is kept in .build/tests.
set -uo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test || exit 1

logs=.build/tests
mkdir -p "$logs"
summary=()
failures=()
failed=0

# What a compiler, Swift Testing, a chaos run and unittest say of a failure.
failure_lines='(^|: )error: |recorded an issue|^(verdict: RED|FAIL|ERROR)'

# suite <name> <command…>
suite() {
    local name=$1 started=$SECONDS verdict=passed
    shift
    printf '\n== %s\n' "$name"
    if ! "$@" 2>&1 | tee "$logs/$name.txt"; then
        verdict=FAILED
        failed=1
        mapfile -t -O "${#failures[@]}" failures < <(grep -E "$failure_lines" "$logs/$name.txt" | head -n 20)
    fi
    summary+=("$(printf '%-8s %-7s %5d s' "$name" "$verdict" $((SECONDS - started)))")
}

build() { swift build --build-tests && swift build; }
# The harness measures time, so nothing else may run beside it; that goes for its own tests as well.
harness='CarillonChaosTests|CarillonLoadTests|CarillonBenchTests'
# Every parser at everything that it was attacked with: seconds of work that wait for nothing, and would have others wait for a thread.
corpora='CarillonFuzzTests'
swift_tests() { swift test --skip-build --skip "$harness|$corpora"; }
corpus_tests() { swift test --skip-build --filter "$corpora"; }
harness_tests() { swift test --skip-build --filter "$harness"; }
# As much as three servers built for debugging can do beside the load on two slow cores: what is late there says nothing else.
chaos() { .build/debug/carillon-chaos --schedule short --rate 80 --topics 0.05 --seed "${CHAOS_SEED:-1}"; }
browser_tests() {
    scripts/venv.sh || return
    local file status=0
    for file in Tests/Browser/*_test.py; do
        (cd Tests/Browser && ../../.build/venv/bin/python -B "$(basename "$file")") || status=1
    done
    return $status
}

suite build build
if ((failed)); then
    printf '\nnothing was tested: the build failed\n'
    exit 1
fi
suite swift swift_tests
suite corpora corpus_tests
suite harness harness_tests
suite chaos chaos
suite browser browser_tests
suite papers scripts/papers.sh

printf '\n'
((failed)) && printf '%s\n' "${failures[@]}" ''
printf '%s\n' "${summary[@]}"
exit "$failed"
