#!/usr/bin/env bash
# Checks the rules of the source tree that the compiler does not: the direction of imports, modules without Foundation,
# unsafe code without a reason, printing, and the length of files.
set -euo pipefail
cd "$(dirname "$0")/.."

max_lines=600

# Module (or folder of a program) and the modules of this package that it may import.
allowed_imports='
Sources/CarillonDomain
Sources/CarillonConfig       CarillonDomain
Sources/CarillonMetrics      CarillonDomain
Sources/CarillonTLS          COpenSSL
Sources/CarillonSocket
Sources/CarillonRedis        CHiredis CarillonSocket CarillonTLS
Sources/CarillonStore        CarillonDomain CarillonMetrics CarillonRedis CarillonTLS
Sources/CarillonRealtime     CarillonDomain CarillonMetrics CarillonSocket CarillonStore CarillonTLS
Sources/CarillonWorkers      CarillonDomain CarillonMetrics CarillonStore
Sources/CarillonHTTP         CarillonDomain CarillonMetrics CarillonSocket CarillonStore
Sources/CarillonApp          CarillonConfig CarillonDomain CarillonHTTP CarillonMetrics CarillonRealtime CarillonRedis CarillonStore CarillonTLS CarillonWorkers
Sources/CarillonTools        CarillonTLS
Sources/CarillonTestSupport
Sources/CarillonLoad         CarillonDomain CarillonTLS
Sources/CarillonChaos        CarillonDomain CarillonLoad CarillonTestSupport
Sources/CarillonHostile      CarillonDomain CarillonLoad CarillonTestSupport
Sources/CarillonFuzz         CarillonDomain CarillonHTTP CarillonLoad CarillonRealtime CarillonRedis CarillonStore CarillonTestSupport CarillonTools
Sources/CarillonBench        CarillonDomain CarillonLoad CarillonSocket CarillonTLS CarillonTools CarillonTestSupport
cmd/server                   CarillonApp CarillonConfig
cmd/client                   CarillonTools
cmd/sender                   CarillonTools
cmd/chaos                    CarillonChaos CarillonTestSupport
cmd/bench                    CarillonBench CarillonTestSupport
cmd/hostile                  CarillonHostile CarillonTestSupport
cmd/fuzz                     CarillonFuzz
'
without_foundation='CarillonDomain CarillonRedis CarillonRealtime CarillonSocket CarillonStore CarillonTLS'
# The tools are programs whose output is standard output.
may_print='Sources/CarillonTools/'

failed=0
fail() {
    printf '%s\n' "$1"
    failed=1
}

# imports <folder>: "file:line module" for each import below it.
imports() {
    local pattern='^[[:space:]]*(@[[:alnum:]_]+(\([^)]*\))?[[:space:]]+)*((public|package|internal|fileprivate|private)[[:space:]]+)?import[[:space:]]+'
    local kinds='((struct|class|enum|protocol|actor|typealias|func|let|var)[[:space:]]+)?'
    grep -rnE --include='*.swift' "$pattern" "$1" |
        sed -E "s/^([^:]+:[0-9]+):${pattern#^}$kinds([A-Za-z_0-9]+).*/\1 \8/" || true
}

check_imports() {
    local folder allowed place module
    while read -r folder allowed; do
        [[ -n $folder ]] || continue
        [[ -d $folder ]] || { fail "$folder is in the table of imports but does not exist"; continue; }
        while read -r place module; do
            case $module in
            Carillon* | CHiredis | COpenSSL)
                [[ " $allowed " == *" $module "* ]] || fail "$place: $folder may not import $module"
                ;;
            Foundation*)
                [[ " $without_foundation " != *" ${folder#Sources/} "* ]] || fail "$place: $folder may not import $module"
                ;;
            XCTest)
                fail "$place: tests use Swift Testing"
                ;;
            esac
        done < <(imports "$folder")
    done <<<"$allowed_imports"
    for folder in Sources/Carillon* cmd/*; do
        grep -qE "^$folder( |$)" <<<"$allowed_imports" || fail "$folder is not in the table of imports"
    done
    while read -r place module; do
        [[ $module != XCTest ]] || fail "$place: tests use Swift Testing"
    done < <(imports Tests)
}

check_unsafe() {
    local output
    output=$(find Sources cmd -name '*.swift' -print0 | xargs -0 awk '
        FNR == 1 { above = "" }
        {
            code = $0
            sub(/\/\/.*/, "", code)
            # An argument label of the standard library that marks nothing unsafe in the caller.
            gsub(/unsafeUninitializedCapacity:/, "", code)
            if (code ~ /@unchecked Sendable|nonisolated\(unsafe\)|(^|[^A-Za-z_])unsafe/ && $0 !~ /\/\/ SAFETY:/ && above !~ /\/\/ SAFETY:/)
                print FILENAME ":" FNR ": say in a // SAFETY: comment why this holds"
            # A reason may take several lines of comment.
            if (!($0 ~ /^[ \t]*\/\// && above ~ /\/\/ SAFETY:/)) above = $0
        }')
    [[ -z $output ]] || fail "$output"
}

check_printing() {
    local output
    output=$(grep -rnE --include='*.swift' '(^|[^[:alnum:]_.`"])print\(' Sources | grep -vE "^$may_print|(case|func) print\(" || true)
    [[ -z $output ]] || fail "$output"$'\n'"Sources log, they do not print"
}

check_length() {
    local lines file
    while read -r lines file; do
        ((lines <= max_lines)) || fail "$file has $lines lines; $max_lines are the most"
    done < <(find Sources Tests cmd -name '*.swift' -exec wc -l {} + | grep -v ' total$')
}

check_imports
check_unsafe
check_printing
check_length
exit "$failed"
