#!/usr/bin/env bash
# Runs several pods on one private Redis behind HAProxy, in the foreground, until Ctrl-C. Expects the built server.
#
#   PODS         how many pods, 1 to 8 (3): carillon-1, carillon-2, …
#   PORT         where HAProxy listens (8080); the pods take the ports behind it, on the loopback interface
#   REDIS_PORT   where Redis listens (6379); its data is kept in .data/cluster
#
# Whatever else is set reaches the pods, so their settings may be given, too.
set -euo pipefail
# Every program in a process group of its own, so that Ctrl-C reaches this script alone and it can end them in order.
set -m
cd "$(dirname "$0")/.."
# Debian keeps haproxy where only root looks.
PATH=$PATH:/usr/sbin

pods=${PODS:-3}
port=${PORT:-8080}
redis_port=${REDIS_PORT:-6379}
server=${CARILLON_SERVER:-.build/release/carillon-server}

say() { printf '%-10s | %s\n' cluster "$1"; }

# fail <exit code> <why>
fail() {
    say "$2" >&2
    exit "$1"
}

# check_port <port> <variable that says another one>
check_port() {
    if (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
        fail 1 "port $1 is in use by another program: set $2"
    fi
}

declare -A pid=() # of what runs, by name
order=()          # names in the order of their start
failed=0

# start <name> <command…>: in the background, each line of its output behind its name.
start() {
    local name=$1
    shift
    "$@" > >(exec sed -u "s/^/$(printf '%-10s' "$name") | /") 2>&1 &
    pid[$name]=$!
    order+=("$name")
}

# await <name> <command…>: until the command succeeds, which has 10 seconds, or the program ends.
await() {
    local name=$1 deadline=$((SECONDS + 10))
    shift
    until "$@" 2>/dev/null; do
        kill -0 "${pid[$name]}" 2>/dev/null || fail 1 "$name did not start"
        ((SECONDS < deadline)) || fail 1 "$name does not answer"
        sleep 0.05
    done
}

accepts() { (: <>"/dev/tcp/127.0.0.1/$1"); }

# ended <name>: waits for its end, also while signals come, and says with which code it ended.
ended() {
    local code=0
    while kill -0 "${pid[$1]}" 2>/dev/null; do wait "${pid[$1]}" || true; done
    wait "${pid[$1]}" || code=$?
    unset "pid[$1]"
    say "$1 ended with code $code"
    ((code == 0)) || failed=1
}

# stop <signal> <name…>: ends those that run, all at once.
stop() {
    local signal=$1 name
    shift
    for name; do [[ -z ${pid[$name]-} ]] || kill -"$signal" "${pid[$name]}" 2>/dev/null || true; done
    for name; do [[ -z ${pid[$name]-} ]] || ended "$name"; done
}

# The pods first, so that their devices still hear why, through HAProxy; Redis last, since the pods have things to take back.
finish() {
    local code=$? name servers=()
    trap - EXIT
    ((code == 0)) || failed=$code
    for name in "${order[@]}"; do [[ $name == redis || $name == haproxy ]] || servers+=("$name"); done
    stop TERM "${servers[@]}"
    # HAProxy would exit with 143 after SIGTERM.
    stop USR1 haproxy
    stop TERM redis
    exit "$failed"
}

[[ $pods =~ ^[1-8]$ ]] || fail 64 "PODS is 1 to 8"
[[ -x $server ]] || fail 1 "there is no $server: make build"
check_port "$redis_port" REDIS_PORT
for ((number = 0; number <= pods; number++)); do check_port $((port + number)) PORT; done

interrupted=
trap interrupted=yes INT TERM HUP
trap finish EXIT

REDIS_PORT=$redis_port REDIS_DIR=.data/cluster start redis scripts/redis-local.sh
await redis accepts "$redis_port"
for ((number = 1; number <= pods; number++)); do
    export "POD_$number=127.0.0.1:$((port + number))"
    SERVER_ADDR=127.0.0.1:$((port + number)) REDIS_ADDR=127.0.0.1:$redis_port POD_ID=carillon-$number \
        start "carillon-$number" "$server"
done
for ((number = 1; number <= pods; number++)); do
    await "carillon-$number" scripts/healthcheck.sh $((port + number))
done
BIND=:$port start haproxy haproxy -db -f scripts/haproxy.cfg
await haproxy accepts "$port"
say "$pods pods: http://localhost:$port (Ctrl-C ends all)"

wait -n "${pid[@]}" || true
if [[ -z $interrupted ]]; then
    say "one of them ended by itself" >&2
    failed=1
fi
say stopping
