#!/usr/bin/env python3
"""Measures notifications that one sender posts one by one and one connected client receives. usage: bench.py count"""

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
        return "unknown"
    wanted = part * buckets[-1][1]
    return next(f"<= {bound:g} ms" for bound, count in buckets if count >= wanted)


def measure(count: int) -> list[tuple[str, str]]:
    # All of them fit the stream, so that a client that falls behind still gets every one.
    hub = Hub(server=str(PROGRAMS / "carillon-server"), STREAM_MAXLEN=str(max(count, 100)), LOG_LEVEL="warning")
    client = None
    try:
        environment = {**os.environ, "CARILLON_URL": hub.url, "DEV_USER_ID": "1", "DEV_LOGIN": "bench"}
        client = subprocess.Popen(
            [str(PROGRAMS / "carillon-client"), "--count", str(count)], stdout=subprocess.DEVNULL, env=environment
        )
        eventually(lambda: metrics(hub).get(("websocket_connections", "")) == 1, "the client is connected")
        started = time.monotonic()
        subprocess.run(
            [str(PROGRAMS / "carillon-sender"), "--url", hub.url, "--to", "1:bench", "-"],
            input="".join(f"notification {number} of {count}\n" for number in range(1, count + 1)).encode(),
            stdout=subprocess.DEVNULL,
            timeout=LIMIT_SECONDS,
            check=True,
        )
        sent = time.monotonic()
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
        ("notifications", f"{count}"),
        ("stored and answered", f"{count / (sent - started):.0f} per second"),
        ("received by the client", f"{count / (received - started):.0f} per second"),
        ("append to socket, median", quantile(samples, "delivery_latency_ms", 0.5)),
        ("append to socket, 99th percentile", quantile(samples, "delivery_latency_ms", 0.99)),
    ]


for label, value in measure(int(sys.argv[1])):
    print(f"{label:<36} {value:>18}")
