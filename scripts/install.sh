#!/usr/bin/env bash
# Installs the system packages that are missing for a purpose: build, redis, run, cluster, bench, check, test, fuzz, chaos or hostile.
# Prints nothing when all is there. Debian and Ubuntu; elsewhere it says what to install by hand.
set -euo pipefail

purpose=${1:?usage: install.sh build|redis|run|cluster|bench|check|test|fuzz|chaos|hostile}
missing=()

# need <package> <command…>: the package is missing when the command fails.
need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

header() { [[ -e /usr/include/$1 || -e /usr/local/include/$1 ]]; }
# Debian keeps some programs where only root looks.
program() { PATH=$PATH:/usr/sbin command -v "$1"; }
installed() { dpkg -s "$1" 2>/dev/null | grep -q '^Status: install ok installed'; }

need_swift() {
    if ! program swift >/dev/null; then
        echo "No swift found: install Swift 6.2 or newer from https://swift.org/install and run this again." >&2
        exit 1
    fi
    need git program git
    need binutils program ld
    need libc6-dev header stdio.h
    need g++ program g++
    # The package manager itself fails without the libraries it is linked against.
    if ! swift package --version >/dev/null 2>&1; then
        missing+=(libcurl4-openssl-dev libxml2-dev libsqlite3-dev libncurses-dev zlib1g-dev ca-certificates tzdata)
    fi
}

need_build() {
    need_swift
    need libhiredis-dev header hiredis/hiredis.h
    need libssl-dev header openssl/ssl.h
}

case $purpose in
build)
    need_build
    ;;
redis)
    need redis-server program redis-server
    ;;
run)
    need_build
    need redis-server program redis-server
    ;;
cluster)
    need_build
    need redis-server program redis-server
    need haproxy program haproxy
    ;;
bench)
    need_build
    need redis-server program redis-server
    ;;
check)
    need_swift
    need python3 program python3
    need python3-yaml installed python3-yaml
    ;;
test)
    need_build
    need redis-server program redis-server
    need haproxy program haproxy
    need openssl program openssl
    [[ -n ${CHROMIUM:-} ]] || need chromium program /usr/bin/chromium
    need python3 program python3
    need python3-venv python3 -c 'import ensurepip, venv'
    ;;
fuzz)
    need_build
    ;;
chaos | hostile)
    need_build
    need redis-server program redis-server
    ;;
*)
    echo "install.sh: unknown purpose '$purpose'" >&2
    exit 64
    ;;
esac

((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Missing, and there is no apt-get to install it with (Debian's names): ${missing[*]}" >&2
    exit 1
fi
as_root=()
if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
        echo "Missing: ${missing[*]}. Run as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
own_policy=
cleanup() {
    rm -f "$log"
    [[ -z $own_policy ]] || "${as_root[@]}" rm -f "$policy"
}
trap cleanup EXIT

# Installing redis-server would start a Redis on port 6379, and haproxy itself. Debian asks this program first whether a service may start.
if [[ ! -e $policy ]]; then
    own_policy=yes
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >>"$log" 2>&1
}

echo "installing ${missing[*]}"
if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; }; then
    cat "$log" >&2
    exit 1
fi
for service in redis-server haproxy; do
    if [[ " ${missing[*]} " == *" $service "* ]] && command -v systemctl >/dev/null; then
        # Nor is it to start at the next boot.
        "${as_root[@]}" systemctl disable --quiet "$service" 2>/dev/null || true
    fi
done
