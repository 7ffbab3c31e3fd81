#!/usr/bin/env python3
"""Measures what Redis costs and is made to cost; each figure is the median of three runs. Expects the release build.
usage: bench-redis.py idle     what pods without a device or a post cost Redis
       bench-redis.py durable  what each setting of Redis's append-only file makes of a 202"""

import contextlib
import json
import os
import pathlib
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/Browser"))

from harness import Program, accepts, answers, free_port  # noqa: E402

PROGRAMS = ROOT / ".build/release"
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
MESSAGE = "Your order has been shipped and arrives between ten and twelve. " * 3


@contextlib.contextmanager
def redis(*options: str):
    """A private Redis as we configure it, with further options; its data is on the disk of this folder. Gives its port."""
    data = ROOT / ".data"
    data.mkdir(exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=data))
    port = free_port()
    program = Program(
        [str(ROOT / "scripts/redis-local.sh"), *options],
        folder / "redis.log",
        lambda: accepts(port),
        REDIS_PORT=str(port),
        REDIS_DIR=str(folder),
    )
    try:
        yield port
    finally:
        program.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def pods(redis_port: int, count: int):
    """Pods on one Redis. Gives their ports."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="carillon-bench-"))
    running: list[Program] = []
    ports = [free_port() for _ in range(count)]
    try:
        for port in ports:
            running.append(
                Program(
                    [str(PROGRAMS / "carillon-server")],
                    folder / f"{port}.log",
                    lambda: answers(f"http://127.0.0.1:{port}/ready"),
                    SERVER_ADDR=f"127.0.0.1:{port}",
                    REDIS_ADDR=f"127.0.0.1:{redis_port}",
                    POD_ID=f"pod-{port}",
                    DRAIN_SECONDS="0",
                    LOG_LEVEL="warning",
                )
            )
        yield ports
    finally:
        for program in running:
            program.stop()
        shutil.rmtree(folder, ignore_errors=True)


def info(port: int) -> dict[str, str]:
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"INFO everything\r\n")
        answer = connection.makefile("rb")
        text = answer.read(int(answer.readline()[1:])).decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def cpu_seconds(fields: dict[str, str]) -> float:
    return float(fields["used_cpu_user"]) + float(fields["used_cpu_sys"])


def calls(fields: dict[str, str]) -> dict[str, int]:
    """How often each command was carried out."""
    found = ((name.removeprefix("cmdstat_"), re.match(r"calls=(\d+)", value)) for name, value in fields.items())
    return {name: int(match[1]) for name, match in found if match}


def row(*values: object) -> None:
    print(" ".join(f"{value:>14}" for value in values), flush=True)


def idle() -> None:
    print(f"Redis over {IDLE_SECONDS} s")
    row("pods", "commands/s", "CPU ms/s")
    for count in IDLE_PODS:
        runs, names = [], {}
        for _ in range(RUNS):
            with redis() as port, pods(port, count):
                # What pods do because they have just started is over by then.
                time.sleep(5)
                before, started = info(port), time.monotonic()
                time.sleep(IDLE_SECONDS)
                after, seconds = info(port), time.monotonic() - started
            names = {name: number - calls(before).get(name, 0) for name, number in calls(after).items()}
            names.pop("info", None)
            runs.append((sum(names.values()) / seconds, (cpu_seconds(after) - cpu_seconds(before)) * 1e3 / seconds))
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
                with redis(*options) as redis_port, pods(redis_port, 1) as ports:
                    post_all(ports[0], concurrency, count // 10)
                    taken = sorted(post_all(ports[0], concurrency, count))
                    rate = send_all(ports[0], concurrency, count)
                figures = rate, taken[len(taken) // 2], taken[len(taken) * 99 // 100], taken[-1]
                runs.setdefault((name, concurrency), []).append(figures)
    for (name, concurrency), figures in runs.items():
        rate, *milliseconds = (statistics.median(values) for values in zip(*figures))
        row(concurrency, f"{rate:.0f}", *(f"{value:.2f}" for value in milliseconds), f"  {name}")


{"idle": idle, "durable": durable}[sys.argv[1]]()
