"""Private programs for the browser tests and the benchmark: a redis-server and a carillon-server on free ports, and a
condition to wait on."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = os.environ.get("CARILLON_SERVER", str(ROOT / ".build/debug/carillon-server"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(condition, what: str, seconds: float = 10):
    """Returns the first true value of `condition`, asked every 20 ms, or raises once `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Program:
    """A child process with its output in a file. `ready` is asked until it is true; a child that ends before fails at once."""

    def __init__(self, arguments: list[str], log: pathlib.Path, ready, **environment: str):
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                arguments, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}
            )
        try:
            eventually(lambda: self._alive() and ready(), f"{arguments[0]} serves", seconds=30)
        except BaseException:
            self.stop()
            raise

    def _alive(self) -> bool:
        if self.process.poll() is None:
            return True
        raise AssertionError(f"ended with {self.process.returncode}:\n{self.log.read_text(errors='replace')}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


class Hub:
    """One Redis as we configure it and one server on it, in a folder that goes with them."""

    def __init__(self, server: str = SERVER, **settings: str):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="carillon-browser-"))
        self._programs: list[Program] = []
        try:
            self.redis_port = redis_port = free_port()
            self._start(
                [str(ROOT / "scripts/redis-local.sh")],
                "redis.log",
                lambda: accepts(redis_port),
                REDIS_PORT=str(redis_port),
                REDIS_DIR=str(self._folder),
            )
            self.port = port = free_port()
            self.url = f"http://127.0.0.1:{port}"
            self._server = server
            self._settings = {
                "SERVER_ADDR": f"127.0.0.1:{port}",
                "REDIS_ADDR": f"127.0.0.1:{redis_port}",
                "WEB_DIR": str(ROOT / "web"),
                "POD_ID": "private",
                # Stopping takes no longer than it must.
                "DRAIN_SECONDS": "0",
                **settings,
            }
            self.start_server()
        except BaseException:
            self.stop()
            raise

    def start_server(self) -> None:
        """Starts the server, or starts it again after `server.stop()`, at the same address on the same Redis."""
        self.server = self._start([self._server], "server.log", lambda: answers(f"{self.url}/ready"), **self._settings)

    def _start(self, arguments: list[str], log: str, ready, **environment: str) -> Program:
        program = Program(arguments, self._folder / log, ready, **environment)
        self._programs.append(program)
        return program

    def server_log(self) -> str:
        return self.server.log.read_text(errors="replace")

    def stop(self) -> None:
        for program in reversed(self._programs):
            program.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
