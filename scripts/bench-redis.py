#!/usr/bin/env python3
"""Measures what Redis costs and is made to cost; each figure is the median of three runs. Expects the release build.
usage: bench-redis.py idle     what pods without a device or a post cost Redis
       bench-redis.py durable  what each setting of Redis's append-only file makes of a 202"""

import contextlib
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import time

from programs import MESSAGE, PROGRAMS, Redis, redis, running_pods

RUNS = 3
IDLE_SECONDS = 30
IDLE_PODS = (0, 1, 2, 4, 8)
SETTINGS = {
    "appendonly no": ["--appendonly", "no"],
    "appendfsync no": ["--appendfsync", "no"],
    "appendfsync everysec": ["--appendfsync", "everysec"],
    "appendfsync always": ["--appendfsync", "always"],
}
# Requests under way at a time, and how many there are altogether.
LOADS = ((1, 3_000), (64, 20_000))


def row(*values: object) -> None:
    print(" ".join(f"{value:>14}" for value in values), flush=True)


def idle() -> None:
    print(f"Redis over {IDLE_SECONDS} s")
    row("pods", "commands/s", "CPU ms/s")
    for count in IDLE_PODS:
        runs, names = [], {}
        for _ in range(RUNS):
            with redis() as port, running_pods(port, count):
                connection = Redis(port)
                # What pods do because they have just started is over by then.
                time.sleep(5)
                calls, used, started = connection.calls(), connection.cpu_seconds(), time.monotonic()
                time.sleep(IDLE_SECONDS)
                seconds = time.monotonic() - started
                names = {name: number - calls.get(name, 0) for name, number in connection.calls().items() if name != "info"}
                runs.append((sum(names.values()) / seconds, (connection.cpu_seconds() - used) * 1e3 / seconds))
        row(count, *(f"{statistics.median(values):.2f}" for values in zip(*runs)))
    frequent = sorted(names.items(), key=lambda item: -item[1])
    print(f"with {count}: " + ", ".join(f"{name} {number / IDLE_SECONDS:.1f}/s" for name, number in frequent if number))


def post_all(port: int, concurrency: int, count: int) -> list[float]:
    """Posts over some connections, each with one request under way. Returns the milliseconds that each 202 took."""
    body = json.dumps({"target": [{"id": 1, "login": "bench"}], "message": MESSAGE})
    request = (
        "POST /api/v1/notify HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
    taken: list[float] = []
    sent = 0
    with selectors.EpollSelector() as selector, contextlib.ExitStack() as stack:
        for _ in range(concurrency):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request)
            sent += 1
            selector.register(connection, selectors.EVENT_READ, [time.monotonic()])
        while len(taken) < count:
            for key, _ in selector.select():
                # An answer is short enough to come in one piece.
                answer = key.fileobj.recv(4096)
                now = time.monotonic()
                if not answer.startswith(b"HTTP/1.1 202 "):
                    raise SystemExit(f"unexpected answer: {answer!r}")
                taken.append((now - key.data[0]) * 1e3)
                if sent < count:
                    key.data[0] = now
                    key.fileobj.sendall(request)
                    sent += 1
    return taken


def send_all(port: int, concurrency: int, count: int) -> float:
    """202s per second that carillon-sender gets, which takes less of the CPU than this program."""
    command = [PROGRAMS / "carillon-sender", "--to", "1:bench", "--json", "--retries", "0", "--count", str(count)]
    output = subprocess.run(
        [*command, "--concurrency", str(concurrency), MESSAGE],
        stdout=subprocess.PIPE,
        env={**os.environ, "CARILLON_URL": f"http://127.0.0.1:{port}"},
        check=True,
    ).stdout
    return json.loads(output.splitlines()[-1])["summary"]["per_second"]


def durable() -> None:
    print(f"posts of {len(MESSAGE)} bytes to one user without a device, one pod")
    row("under way", "202/s", "p50 ms", "p99 ms", "longest ms", "setting")
    # Every run has all settings after one another, so that what else the machine does troubles them alike.
    runs: dict[tuple, list] = {}
    for _ in range(RUNS):
        for name, options in SETTINGS.items():
            for concurrency, count in LOADS:
                with redis(*options) as redis_port, running_pods(redis_port, 1) as [(port, _)]:
                    post_all(port, concurrency, count // 10)
                    taken = sorted(post_all(port, concurrency, count))
                    rate = send_all(port, concurrency, count)
                figures = rate, taken[len(taken) // 2], taken[len(taken) * 99 // 100], taken[-1]
                runs.setdefault((name, concurrency), []).append(figures)
    for (name, concurrency), figures in runs.items():
        rate, *milliseconds = (statistics.median(values) for values in zip(*figures))
        row(concurrency, f"{rate:.0f}", *(f"{value:.2f}" for value in milliseconds), f"  {name}")


{"idle": idle, "durable": durable}[sys.argv[1]]()
