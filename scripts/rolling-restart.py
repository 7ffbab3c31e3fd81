#!/usr/bin/env python3
"""Restarts three pods behind HAProxy one after the other, under load, and counts what senders and devices notice of it.
Expects the release build. usage: rolling-restart.py [posts per second] [devices]"""

import asyncio
import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/Browser"))

from harness import Program, accepts, answers, eventually, free_port  # noqa: E402

SERVER = os.environ.get("CARILLON_SERVER", str(ROOT / ".build/release/carillon-server"))
PODS = 3
SENDERS = 30
USERS = 100
# Time for HAProxy to find a restarted pod ready, before the next one goes.
BETWEEN_SECONDS = 2
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Cluster:
    """Redis, pods and HAProxy on free ports, in a folder that goes with them."""

    def __init__(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="carillon-rolling-"))
        self.pods: list[Program] = []
        self.others: list[Program] = []
        self.redis_port, self.port = free_port(), free_port()
        self.ports = [free_port() for _ in range(PODS)]
        try:
            settings = {"REDIS_PORT": str(self.redis_port), "REDIS_DIR": str(self.folder)}
            redis = [str(ROOT / "scripts/redis-local.sh")]
            self.others.append(Program(redis, self.folder / "redis.log", lambda: accepts(self.redis_port), **settings))
            self.pods = [self.start(number) for number in range(PODS)]
            settings = {f"POD_{number + 1}": f"127.0.0.1:{port}" for number, port in enumerate(self.ports)}
            haproxy = [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", str(ROOT / "scripts/haproxy.cfg")]
            settings["BIND"] = f"127.0.0.1:{self.port}"
            self.others.append(Program(haproxy, self.folder / "haproxy.log", lambda: accepts(self.port), **settings))
        except BaseException:
            self.stop()
            raise

    def start(self, number: int) -> Program:
        port = self.ports[number]
        return Program(
            [SERVER],
            self.folder / f"pod-{number + 1}.log",
            lambda: answers(f"http://127.0.0.1:{port}/ready"),
            SERVER_ADDR=f"127.0.0.1:{port}",
            REDIS_ADDR=f"127.0.0.1:{self.redis_port}",
            POD_ID=f"carillon-{number + 1}",
            STREAM_MAXLEN="10000",
        )

    def restart(self, number: int) -> None:
        started = time.monotonic()
        self.pods[number].stop()
        code, seconds = self.pods[number].process.returncode, time.monotonic() - started
        self.pods[number] = self.start(number)
        print(f"carillon-{number + 1} stopped within {seconds:.1f} s with code {code} and is back")

    def stop(self) -> None:
        for program in (*self.pods, *reversed(self.others)):
            program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Tally:
    def __init__(self) -> None:
        self.answers: collections.Counter = collections.Counter()
        self.handshakes: collections.Counter = collections.Counter()
        self.closes: collections.Counter = collections.Counter()
        self.stored: dict[int, list[str]] = collections.defaultdict(list)
        self.milliseconds: list[float] = []


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Status and body of an answer, and whether it is the connection's last."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = re.search(r"\r\ncontent-length: (\d+)", head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    return int(head.split(" ", 2)[1]), body, "\r\nconnection: close" in head


async def send(port: int, number: int, pause: float, tally: Tally, stop: asyncio.Event) -> None:
    """Posts at a steady rate over one connection, which is opened again only when it was closed."""
    reader = writer = None
    due = time.monotonic() + pause * number / SENDERS
    count = 0
    while not stop.is_set():
        await asyncio.sleep(max(0, due - time.monotonic()))
        due += pause
        user = (number + count * SENDERS) % USERS + 1
        count += 1
        body = json.dumps({"target": [{"id": user, "login": "u"}], "message": f"{number}/{count}"}).encode()
        head = (
            "POST /api/v1/notify HTTP/1.1\r\nHost: rolling\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        started = time.monotonic()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head.encode() + body)
            status, answer, is_last = await read_answer(reader)
        except (OSError, asyncio.IncompleteReadError) as error:
            tally.answers[f"broken: {type(error).__name__}"] += 1
            writer = None
            continue
        tally.milliseconds.append((time.monotonic() - started) * 1e3)
        tally.answers[status] += 1
        if status == 202:
            tally.stored[user] += [row["notification_id"] for row in json.loads(answer)["results"]]
        if is_last:
            writer.close()
            writer = None
    if writer:
        writer.close()


class Device:
    """A device that remembers what it has, and comes back with `since` whenever its socket ends."""

    def __init__(self, port: int, user: int, tally: Tally) -> None:
        self.port, self.user, self.tally = port, user, tally
        self.received: collections.Counter = collections.Counter()
        self.since = self.epoch = ""
        self.is_ready = False

    async def run(self) -> None:
        while True:
            pause = 0.2
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                pause = await self.session()
            self.is_ready = False
            await asyncio.sleep(pause)

    async def session(self) -> float:
        """Returns the pause before the next one, in seconds."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            query = f"user_id={self.user}&login=u" + (f"&since={self.since}&epoch={self.epoch}" if self.since else "")
            writer.write(
                f"GET /ws?{query} HTTP/1.1\r\nHost: rolling\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            self.tally.handshakes[status] += 1
            if status != 101:
                return 0.2
            while True:
                kind, size = await reader.readexactly(2)
                if size > 125:
                    size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
                payload = await reader.readexactly(size)
                if kind == 0x81:
                    self.heard(json.loads(payload))
                elif kind in (0x88, 0x89):
                    # The answer to a close or a ping is the same payload; a mask of zeros leaves it as it is.
                    writer.write(bytes([0x88 if kind == 0x88 else 0x8A, 0x80 | size, 0, 0, 0, 0]) + payload)
                    if kind == 0x88:
                        self.tally.closes[int.from_bytes(payload[:2], "big")] += 1
                        hint = re.search(rb"(\d+) ms", payload)
                        return int(hint[1]) / 1e3 if hint else 0.2
        finally:
            writer.close()

    def heard(self, message: dict) -> None:
        data = message["data"]
        if message["type"] == "session.ready":
            self.is_ready = True
            self.since, self.epoch = data["last_stream_id"] or "", str(data["epoch"])
        elif message["type"] == "notification.push":
            self.received[data["notification_id"]] += 1
            if self.is_ready:
                self.since = data["stream_id"]


async def restart_all(cluster: Cluster) -> None:
    for number in range(PODS):
        await asyncio.to_thread(cluster.restart, number)
        await asyncio.sleep(BETWEEN_SECONDS)


async def measure(cluster: Cluster, rate: float, count: int) -> bool:
    tally, stop = Tally(), asyncio.Event()
    devices = [Device(cluster.port, number % USERS + 1, tally) for number in range(count)]
    listening = [asyncio.create_task(device.run()) for device in devices]
    await wait_until(lambda: all(device.is_ready for device in devices), "all devices are connected")
    senders = [asyncio.create_task(send(cluster.port, number, SENDERS / rate, tally, stop)) for number in range(SENDERS)]
    started = time.monotonic()
    await asyncio.sleep(BETWEEN_SECONDS)
    await restart_all(cluster)
    seconds = time.monotonic() - started
    stop.set()
    await asyncio.gather(*senders)

    def missing() -> int:
        return sum(id not in device.received for device in devices for id in tally.stored[device.user])

    with contextlib.suppress(AssertionError):
        await wait_until(lambda: missing() == 0, "everything is received")
    for task in listening:
        task.cancel()
    repeated = sum(times > 1 for device in devices for times in device.received.values())
    latencies = sorted(tally.milliseconds)
    print(f"posts: {sum(tally.answers.values())} in {seconds:.0f} s, answers {dict(tally.answers)}")
    print(f"latency of a post: p50 {latencies[len(latencies) // 2]:.1f} ms, p99 {latencies[len(latencies) * 99 // 100]:.1f} ms, "
          f"longest {latencies[-1]:.0f} ms")
    print(f"devices: {count}, handshakes {dict(tally.handshakes)}, closed with {dict(tally.closes)}")
    print(f"pushes missing: {missing()}, shown again: {repeated}")
    return set(tally.answers) == {202} and not missing() and not repeated


async def wait_until(condition, what: str) -> None:
    await asyncio.to_thread(eventually, condition, what, 30)


def main() -> None:
    rate, count = (float(sys.argv[1]) if len(sys.argv) > 1 else 300), (int(sys.argv[2]) if len(sys.argv) > 2 else 300)
    cluster = Cluster()
    try:
        succeeded = asyncio.run(measure(cluster, rate, count))
    finally:
        cluster.stop()
    sys.exit(not succeeded)


main()
