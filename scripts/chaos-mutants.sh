#!/usr/bin/env bash
# Proves that carillon-chaos sees what it is there to see: builds the server with one fault of its own after the other
# (Tests/Chaos/Mutants), and demands that a run that fits is red, and green without the fault.
# usage: chaos-mutants.sh [name…]
set -euo pipefail
cd "$(dirname "$0")/.."

# Name of the patch, and what carillon-chaos is asked for to see it.
#   cursor       many posts for few users through three pods, so that hints overtake one another
#   presence     presence that ends within the run, and users who seldom hear anything that would mend it
#   bus-gap      users of whom nothing more is heard after what was lost
#   acknowledge  a pod that hands out late what others have read, and no sweep that repairs the pending list
#   lease        every post keyed and sent to two pods at once
#   topic        many channels of which nothing more is heard after what was lost
#   leak         deliveries enough for a soak to see each of them kept
#   forever      requests with keys, whose records a soak sees stay
mutants='
cursor       --users 10 --rate 300 --faults calm
presence     --users 60 --rate 15 --set UPKEEP_INTERVAL=4s --set LOCK_TTL=9s --faults calm,calm,calm
bus-gap      --users 400 --devices 1 --rate 30 --set UPKEEP_INTERVAL=60s --set LOCK_TTL=150s --faults bus-trimmed,bus-trimmed,bus-trimmed
acknowledge  --users 60 --rate 60 --read 1 --set GROUP_MAINTENANCE_INTERVAL=3600s --faults link-slow,link-slow
lease        --users 60 --rate 100 --keyed 1 --raced 1 --faults calm
topic        --users 60 --rate 20 --topics 1 --channels 300 --set UPKEEP_INTERVAL=60s --set LOCK_TTL=150s --faults bus-trimmed,bus-trimmed,bus-trimmed
leak         --schedule soak --minutes 1 --users 30 --rate 20 --faults calm
forever      --schedule soak --minutes 0.5 --users 20 --rate 20 --faults calm
'
seed=${CHAOS_SEED:-1}
wanted=" $* "
source=$PWD/.build/mutants/source
build=$PWD/.build/mutants/build
patches=$PWD/Tests/Chaos/Mutants

scripts/install.sh chaos
swift build --product carillon-chaos
swift build --product FakeClock
chaos=$(swift build --show-bin-path)/carillon-chaos

mkdir -p "$source"
# With the times of the files, so that only what has changed is built.
git ls-files -z | tar --null --files-from=- --create | tar --extract --directory "$source"
[[ ! -e Package.resolved ]] || cp -p Package.resolved "$source"

# change <option…> <patch>: applies a patch in the copy, which lies within this repository but is none of its folders.
change() { (cd "$source" && GIT_CEILING_DIRECTORIES=$PWD/.. git apply "$@"); }
build_server() { swift build --package-path "$source" --scratch-path "$build" --product carillon-server; }

# run <expected status> <name> <argument…>
run() {
    local expected=$1 name=$2 status=0 output=$build/$2.$1.txt
    shift 2
    CARILLON_SERVER_BINARY=$build/debug/carillon-server "$chaos" --seed "$seed" "$@" >"$output" 2>&1 || status=$?
    if ((status == expected)); then
        printf '%-12s exit %d as it should\n' "$name" "$status"
    else
        cat "$output"
        printf '%-12s exit %d instead of %d\n' "$name" "$status" "$expected"
        failed=1
    fi
}

failed=0
printf '\n== without a fault\n'
build_server
while read -r name arguments; do
    [[ -n $name && ($# -eq 0 || $wanted == *" $name "*) ]] || continue
    # shellcheck disable=SC2086 # the arguments are words
    run 0 "$name" $arguments </dev/null
done <<<"$mutants"

while read -r name arguments; do
    [[ -n $name && ($# -eq 0 || $wanted == *" $name "*) ]] || continue
    printf '\n== %s: %s\n' "$name" "$(head -n 1 "$patches/$name.patch")"
    change "$patches/$name.patch"
    build_server </dev/null
    # shellcheck disable=SC2086
    run 1 "$name" $arguments </dev/null
    change --reverse "$patches/$name.patch"
done <<<"$mutants"
exit "$failed"
