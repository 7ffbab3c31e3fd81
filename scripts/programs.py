"""Private programs for what is measured: a Redis as we configure it, pods on it, and a client that pipelines."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/Browser"))

from harness import Program, accepts, answers, eventually, free_port  # noqa: E402, F401  others take them from here

# The length of messages in all that is measured here.
MESSAGE = "Your order has been shipped and arrives between ten and twelve. " * 3
PROGRAMS = pathlib.Path(os.environ.get("CARILLON_PROGRAMS", ROOT / ".build/release"))


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
def running_pods(redis_port: int, count: int, **settings: str):
    """Pods on one Redis. Gives for each its port and the program."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="carillon-bench-"))
    running: list[tuple[int, Program]] = []
    try:
        for port in [free_port() for _ in range(count)]:
            program = Program(
                [str(PROGRAMS / "carillon-server")],
                folder / f"{port}.log",
                lambda: answers(f"http://127.0.0.1:{port}/ready"),
                **{
                    "SERVER_ADDR": f"127.0.0.1:{port}",
                    "REDIS_ADDR": f"127.0.0.1:{redis_port}",
                    "POD_ID": f"pod-{port}",
                    "WEB_DIR": str(ROOT / "web"),
                    "DRAIN_SECONDS": "0",
                    "LOG_LEVEL": "warning",
                    **settings,
                },
            )
            running.append((port, program))
        yield running
    finally:
        for _, program in running:
            program.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Redis:
    """A connection to a Redis that sends any number of commands as one write."""

    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port), 120)
        self._replies = self._socket.makefile("rb")

    def call(self, *words):
        return self.pipeline([words])[0]

    def pipeline(self, commands) -> list:
        self._socket.sendall(b"".join(map(self.encoded, commands)))
        return [self._read() for _ in commands]

    @staticmethod
    def encoded(words) -> bytes:
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

    def _read(self):
        line = self._replies.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if int(rest) < 0:
            return None
        if kind == b"$":
            return self._replies.read(int(rest) + 2)[:-2].decode()
        return [self._read() for _ in range(int(rest))]

    def info(self, section: str = "everything") -> dict[str, str]:
        return dict(line.split(":", 1) for line in self.call("INFO", section).splitlines() if ":" in line)

    def cpu_seconds(self) -> float:
        fields = self.info("cpu")
        return float(fields["used_cpu_user"]) + float(fields["used_cpu_sys"])

    def calls(self) -> dict[str, int]:
        """How often each command was carried out."""
        fields = self.info("commandstats")
        return {name.removeprefix("cmdstat_"): int(value.split(",")[0].removeprefix("calls=")) for name, value in fields.items()}


def user(number: int) -> dict:
    return {"id": number, "login": f"user{number % 1000:03d}"}


class Pod:
    """A pod and what is asked of it."""

    # Of one request.
    TARGETS = 1_000

    def __init__(self, port: int, program: Program):
        self.port, self.process = port, program.process
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, users, ttl: int = 3_600, **headers: str) -> None:
        body = json.dumps({"target": [user(number) for number in users], "message": MESSAGE, "ttl_seconds": ttl})
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._http.request("POST", "/api/v1/notify", body, {"Content-Type": "application/json", **named})
        answer = self._http.getresponse()
        answer.read()
        if answer.status != 202:
            raise SystemExit(f"unexpected answer: {answer.status}")

    def post_all(self, users: range, times: int = 1, ttl: int = 3_600) -> None:
        for _ in range(times):
            for start in range(users.start, users.stop, self.TARGETS):
                self.post(range(start, min(start + self.TARGETS, users.stop)), ttl)

    def connect(self, number: int) -> socket.socket:
        device = socket.create_connection(("127.0.0.1", self.port))
        name = user(number)
        key = base64.b64encode(os.urandom(16)).decode()
        device.sendall(
            f"GET /ws?user_id={name['id']}&login={name['login']} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        return device

    def cpu_seconds(self) -> float:
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
