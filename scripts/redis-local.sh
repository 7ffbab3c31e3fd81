#!/usr/bin/env bash
# Runs a private Redis in the foreground. REDIS_PORT (6379) and REDIS_DIR (.data/redis) say where.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${REDIS_DIR:-.data/redis}
mkdir -p "$data"
exec redis-server scripts/redis.conf --port "${REDIS_PORT:-6379}" --dir "$data" "$@"
