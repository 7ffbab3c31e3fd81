#!/usr/bin/env bash
# Succeeds when the server on this machine answers GET /live with 200. For images without curl.
# usage: healthcheck.sh [port]
set -euo pipefail

exec 3<>"/dev/tcp/127.0.0.1/${1:-8080}"
printf 'GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 _ status _ <&3
[[ $status == 200 ]]
