#!/usr/bin/env python3
"""Measures notifications from a sender through server and Redis to one connected client. usage: bench.py count"""

import os
import pathlib
import re
import resource
import socket
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
IDLE_DEVICES = 5_000
MESSAGE = "Your order has been shipped and arrives between ten and twelve. " * 3
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})?\s+(\S+)", re.MULTILINE)


def metrics(hub: Hub) -> dict[tuple[str, str], float]:
    with urllib.request.urlopen(f"{hub.url}/metrics", timeout=5) as answer:
        return {(name, labels): float(value) for name, labels, value in SAMPLE.findall(answer.read().decode())}


def redis_info(hub: Hub) -> tuple[float, int]:
    """CPU seconds of Redis, and commands that it has carried out."""
    with socket.create_connection(("127.0.0.1", hub.redis_port), 5) as connection:
        connection.sendall(b"INFO\r\n")
        answer = connection.makefile("rb")
        info = answer.read(int(answer.readline()[1:])).decode()
    fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    cpu = float(fields["used_cpu_user"]) + float(fields["used_cpu_sys"])
    return cpu, int(fields["total_commands_processed"])


def costs(hub: Hub) -> tuple[float, float, int]:
    """CPU seconds of pod and Redis, and Redis commands, so far."""
    return metrics(hub)[("process_cpu_seconds_total", "")], *redis_info(hub)


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
            stderr=subprocess.DEVNULL,
            env=user,
        )
        eventually(lambda: metrics(hub).get(("websocket_connections", "")) == 1, "the client is connected")
        before = costs(hub)
        started = time.monotonic()
        # Without retries the sender makes up no Idempotency-Keys, so these are plain posts.
        subprocess.run(
            [PROGRAMS / "carillon-sender", "--count", str(count), "--concurrency", str(concurrency), "--retries", "0", MESSAGE],
            stdout=subprocess.DEVNULL,
            env=user,
            timeout=LIMIT_SECONDS,
            check=True,
        )
        stored = time.monotonic()
        if client.wait(LIMIT_SECONDS):
            raise SystemExit(f"the client ended with {client.returncode}")
        received = time.monotonic()
        pod, redis, commands = (after - start for after, start in zip(costs(hub), before))
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
        f"{pod / count * 1e6:.0f}",
        f"{redis / count * 1e6:.0f}",
        f"{commands / count:.1f}",
    ]


def measure_idle(count: int) -> str:
    """What devices cost that connect and then say nothing: memory each, and the pod's CPU for each connect."""
    hub = Hub(server=str(PROGRAMS / "carillon-server"), LOG_LEVEL="warning")
    devices = []
    try:
        before = metrics(hub)
        for number in range(count):
            device = socket.create_connection(("127.0.0.1", hub.port), 5)
            device.sendall(
                f"GET /ws?user_id={number + 1}&login=idle HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            devices.append(device)
        for device in devices:
            received = b""
            while b"session.ready" not in received:
                received += device.recv(4096)
        after = metrics(hub)
    finally:
        for device in devices:
            device.close()
        hub.stop()
    memory, cpu = (
        (after[(name, "")] - before[(name, "")]) / count
        for name in ("process_resident_memory_bytes", "process_cpu_seconds_total")
    )
    return f"{count} idle devices: {memory:.0f} bytes of the pod's memory each, {cpu * 1e6:.0f} us of its CPU to connect"


def main(count: int) -> None:
    print(f"{count} notifications of {len(MESSAGE)} bytes to one connected client")
    columns = ["concurrency", "stored/s", "received/s", "p50 ms", "p99 ms", "pod us", "redis us", "commands"]
    print(" ".join(f"{column:>12}" for column in columns), flush=True)
    for concurrency in CONCURRENCIES:
        print(" ".join(f"{value:>12}" for value in measure(count, concurrency)), flush=True)
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    print(measure_idle(min(IDLE_DEVICES, descriptors // 2)))
    print("p50 and p99: from the append to Redis until the write to the socket, as upper bounds of the histogram's buckets.")
    print("pod us, redis us, commands: CPU and Redis commands for each notification.")


main(int(sys.argv[1]))
