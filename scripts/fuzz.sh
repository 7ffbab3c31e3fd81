#!/usr/bin/env bash
# Lets libFuzzer loose on each parser for a while, with the address sanitizer, and prints what came of it.
# usage: [TARGET=name] [FUZZ_SECONDS=60] fuzz.sh [option of libFuzzer…]
#        TARGET=name fuzz.sh <file…> runs these inputs once
set -uo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh fuzz || exit 1

seconds=${FUZZ_SECONDS:-60}
scratch=.build/fuzz
# Inputs that reach something new; kept between runs.
corpora=.build/fuzz-corpora
findings=.build/fuzz-findings
logs=.build/fuzz-logs

# The sanitizers want their own build of everything. gold, which Swift links with by default, fails on what they add.
build=(swift build -c release --scratch-path "$scratch" -Xswiftc -sanitize=address,fuzzer -Xswiftc -use-ld=lld)
CARILLON_FUZZ=1 "${build[@]}" --product carillon-fuzz || exit 1
program=$(CARILLON_FUZZ=1 "${build[@]}" --show-bin-path)/carillon-fuzz

# Swift's own report of a crash would keep libFuzzer from storing the input.
export SWIFT_BACKTRACE=enable=no
# A reply of Redis may claim an array of any length: no memory is an answer there, not a fault.
export ASAN_OPTIONS=allocator_may_return_null=1:${ASAN_OPTIONS:-}
# Whole megabytes that one input may take.
memory=4096

declare -A longest
while read -r name bytes; do longest[$name]=$bytes; done < <("$program")
targets=${TARGET:-$("$program" | cut -d ' ' -f 1)}
for target in $targets; do
    [[ -n ${longest[$target]:-} ]] || { echo "there is no target '$target'; there are: ${!longest[*]}" >&2; exit 64; }
done

if [[ $# -gt 0 && -e $1 ]]; then
    FUZZ_TARGET=$targets exec "$program" "$@"
fi

# number <name> <log>: the last value that libFuzzer printed for it.
number() { sed -nE "s/.*$1:? +([0-9]+).*/\1/p" "$2" | tail -n 1; }

mkdir -p "$logs" "$findings"
table=()
failed=0
for target in $targets; do
    mkdir -p "$corpora/$target"
    log=$logs/$target.txt
    dictionary=Tests/Fuzz/$target.dict
    printf '== %s, %s s\n' "$target" "$seconds"
    before=$(find "$findings" -name "$target-*" | wc -l)
    FUZZ_TARGET=$target "$program" -max_total_time="$seconds" -max_len="${longest[$target]}" -timeout=10 \
        -rss_limit_mb="$memory" -malloc_limit_mb=20000 -print_final_stats=1 -artifact_prefix="$findings/$target-" \
        $([[ -e $dictionary ]] && echo "-dict=$dictionary") "$@" "$corpora/$target" "Tests/Fuzz/$target" >"$log" 2>&1
    status=$?
    found=$(($(find "$findings" -name "$target-*" | wc -l) - before))
    ((status)) && failed=1
    table+=("$(printf '%-14s %11s %8s %9s %7s %9s' "$target" "$(number stat::number_of_executed_units "$log")" \
        "$(number stat::average_exec_per_sec "$log")" "$(number cov "$log")" "$(number corp "$log")" "$found")")
    if ((status)); then
        grep -E 'Fatal error|^SUMMARY|ERROR: ' "$log" | head -n 5
        input=$(sed -nE 's/.*Test unit written to (.*)/\1/p' "$log" | tail -n 1)
        echo "again: make fuzz TARGET=$target ARGS=$input"
        echo "When it is mended, keep it: cp $input Tests/Fuzz/$target/found-…"
    fi
done

printf '\n%-14s %11s %8s %9s %7s %9s\n' target executions per\ s coverage corpus findings
printf '%s\n' "${table[@]}"
((failed)) && echo "whole output in $logs"
exit "$failed"
