#!/usr/bin/env python3
"""Measures notifications from a sender through server and Redis to one connected client. usage: bench.py count"""

import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/Browser"))

from harness import Hub, eventually  # noqa: E402

PROGRAMS = ROOT / ".build/release"
LIMIT_SECONDS = 120
# Requests that the sender has under way at a time.
CONCURRENCIES = (1, 16, 64)
MESSAGE = "Your order has been shipped and arrives between ten and twelve. " * 3
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})?\s+(\S+)", re.MULTILINE)


def metrics(hub: Hub) -> dict[tuple[str, str], float]:
    with urllib.request.urlopen(f"{hub.url}/metrics", timeout=5) as answer:
        return {(name, labels): float(value) for name, labels, value in SAMPLE.findall(answer.read().decode())}


def quantile(samples: dict[tuple[str, str], float], name: str, part: float) -> str:
    """The bucket of a histogram that holds a quantile, as Prometheus counts: cumulative, by upper bound."""
    buckets = []
    for (sample, labels), count in samples.items():
        bound = re.search(r'le="([^"]+)"', labels)
        if sample == f"{name}_bucket" and bound:
            buckets.append((float(bound[1]), count))
    buckets.sort()
    if not buckets or not buckets[-1][1]:
        return "?"
    wanted = part * buckets[-1][1]
    return next(f"{bound:g}" for bound, count in buckets if count >= wanted)


def measure(count: int, concurrency: int) -> list[str]:
    # All of them fit the stream, so that a client that falls behind still gets every one.
    hub = Hub(server=str(PROGRAMS / "carillon-server"), STREAM_MAXLEN=str(max(count, 100)), LOG_LEVEL="warning")
    user = {**os.environ, "CARILLON_URL": hub.url, "DEV_USER_ID": "1", "DEV_LOGIN": "bench"}
    client = None
    try:
        client = subprocess.Popen(
            [PROGRAMS / "carillon-client", "--count", str(count), "--timeout", str(LIMIT_SECONDS), "--no-read"],
            stdout=subprocess.DEVNULL,
            env=user,
        )
        eventually(lambda: metrics(hub).get(("websocket_connections", "")) == 1, "the client is connected")
        started = time.monotonic()
        subprocess.run(
            [PROGRAMS / "carillon-sender", "--count", str(count), "--concurrency", str(concurrency), MESSAGE],
            stdout=subprocess.DEVNULL,
            env=user,
            timeout=LIMIT_SECONDS,
            check=True,
        )
        stored = time.monotonic()
        if client.wait(LIMIT_SECONDS):
            raise SystemExit(f"the client ended with {client.returncode}")
        received = time.monotonic()
        samples = metrics(hub)
    finally:
        if client and client.poll() is None:
            client.kill()
            client.wait()
        hub.stop()
    return [
        str(concurrency),
        f"{count / (stored - started):.0f}",
        f"{count / (received - started):.0f}",
        quantile(samples, "delivery_latency_ms", 0.5),
        quantile(samples, "delivery_latency_ms", 0.99),
    ]


def main(count: int) -> None:
    print(f"{count} notifications of {len(MESSAGE)} bytes to one connected client")
    columns = ["concurrency", "stored/s", "received/s", "p50 ms", "p99 ms"]
    print(" ".join(f"{column:>12}" for column in columns), flush=True)
    for concurrency in CONCURRENCIES:
        print(" ".join(f"{value:>12}" for value in measure(count, concurrency)), flush=True)
    print("p50 and p99: from the append to Redis until the write to the socket, as upper bounds of the histogram's buckets.")


main(int(sys.argv[1]))
