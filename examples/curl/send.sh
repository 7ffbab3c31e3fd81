#!/usr/bin/env bash
# Sends a notification to one user: send.sh "Your order has been shipped" 1 alice
# or to all who have subscribed to a channel: send.sh "Shop closed" orders
#
# CARILLON_URL says where the hub is (http://localhost:8080). Prints the answer, a JSON document with the notification's id.
# Needs curl 7.84 or newer. The message must be free of control characters; `jq` can write any text as JSON.
set -euo pipefail

if (($# != 2 && $# != 3)); then
    echo 'usage: send.sh "Your order has been shipped" 1 alice, or send.sh "Shop closed" orders' >&2
    exit 64
fi
text=${1//\\/\\\\}
whom="\"audience\":{\"channel\":\"$2\"}"
if (($# == 3)); then whom="\"target\":[{\"id\":$2,\"login\":\"$3\"}]"; fi
body=$(printf '{%s,"message":"%s","source":"example"}' "$whom" "${text//\"/\\\"}")

# Every attempt carries the same key, so the hub stores the notification once, however often it is asked.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
pause=1
for attempt in 1 2 3 4 5; do
    # The last line is the status, 000 where there was no answer, and Retry-After.
    answer=$(curl --silent --show-error --max-time 10 --write-out '\n%{http_code} %header{retry-after}' \
        --header 'Content-Type: application/json' --header "Idempotency-Key: $key" \
        --data-binary "$body" "${CARILLON_URL:-http://localhost:8080}/api/v1/notify") || true
    read -r status wait <<<"${answer##*$'\n'}" || true
    if [[ $status == 202 ]]; then
        printf '%s\n' "${answer%$'\n'*}"
        exit
    fi
    # application/problem+json: `error` is a code that stays the same, `errors` says what is wrong where.
    printf '%s\n' "${answer%$'\n'*}" >&2
    # 409: an attempt that seemed lost is still under way.
    [[ $status =~ ^(000|409|503)$ ]] || exit 1
    ((attempt == 5)) && break
    pause=${wait:-$pause}
    echo "trying again in $pause s" >&2
    sleep "$pause"
    pause=$((pause < 15 ? pause * 2 : 30))
done
echo "given up after $attempt attempts" >&2
exit 1
