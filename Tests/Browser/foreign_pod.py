"""A pod that is only written into Redis, with as many clients as a test wants: what other programs may write is all it takes."""

import socket
import threading
import time


class Redis:
    """Sends commands, many at once, and reads no more of the answers than whether one is an error."""

    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._answers = self._socket.makefile("rb")

    def send(self, *commands: tuple) -> None:
        self._socket.sendall(b"".join(self._encoded(command) for command in commands))
        for command in commands:
            answer = self._answers.readline()
            # Of the commands that are used here only those of a single line as answer are allowed.
            if answer[:1] not in (b"+", b":"):
                raise AssertionError(f"{command[:2]}: {answer!r}")

    def number(self, *command) -> int:
        """Sends a command whose answer is a number."""
        self._socket.sendall(self._encoded(command))
        return int(self._answers.readline().removeprefix(b":"))

    @staticmethod
    def _encoded(command: tuple) -> bytes:
        words = [str(word).encode() for word in command]
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


class ForeignPod:
    """Beats from a thread until `stop`, which leaves nothing of it."""

    def __init__(self, redis_port: int, name: str):
        self.name = name
        self._redis = Redis(redis_port)
        self._ended = threading.Event()
        self._beat()
        self._thread = threading.Thread(target=self._beats)
        self._thread.start()

    def _beat(self) -> None:
        self._redis.send(("HSET", "notif:pods:hb", self.name, int(time.time())))

    def _beats(self) -> None:
        while not self._ended.wait(0.5):
            self._beat()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        self._redis.send(("HDEL", "notif:pods:hb", self.name), ("DEL", f"notif:clients:{self.name}"))
        self._redis.close()


def write_clients(redis_port: int, pod: str, clients: range, connected_at_ms: int) -> None:
    """Writes one client for each number, the higher the newer, as user `<number>-user<number>`."""
    redis = Redis(redis_port)
    rows = [(f"{pod}-{number:05}", f"{connected_at_ms + number} {number}-user{number}") for number in clients]
    redis.send(*(("HSET", f"notif:clients:{pod}", *row) for row in rows))
    redis.close()
