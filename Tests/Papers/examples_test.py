"""The senders in examples/, each against a hub that is there, that refuses, and that is away for a moment."""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import unittest

from papers import ROOT, Hub, call

EXAMPLES = ROOT / "examples"
BUILD = ROOT / ".build/examples"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class FlakyHub:
    """Answers what it is told to, one thing after the other: a status, or None for a connection that is cut off."""

    def __init__(self, *script: int | None):
        self.requests: list[tuple[str, bytes]] = []
        remaining = list(script)
        requests = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                requests.append((self.headers["Idempotency-Key"], self.rfile.read(int(self.headers["Content-Length"]))))
                status = remaining.pop(0)
                if status is None:
                    self.close_connection = True
                    return
                body, media = PROBLEM, "application/problem+json"
                if status == 202:
                    target = json.loads(requests[-1][1])["target"]
                    rows = [{"target": user, "notification_id": "a"} for user in target]
                    body, media = json.dumps({"results": rows}).encode(), "application/json"
                self.send_response(status)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
                if status != 202:
                    self.send_header("Retry-After", "1")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


PROBLEM = json.dumps(
    {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Redis did not confirm",
        "status_code": 503,
        "error": "redis_unavailable",
    }
).encode()


class Sender:
    """What the senders have in common. `users` is how many one run can be for."""

    language: str
    users = 2

    @classmethod
    def setUpClass(cls):
        cls.command = cls.prepare()
        cls.hub = Hub()
        cls.addClassCleanup(cls.hub.stop)

    @classmethod
    def need(cls, program: str) -> str:
        found = shutil.which(program)
        if not found:
            raise unittest.SkipTest(f"the {cls.language} example was not run: there is no {program}")
        return found

    def run_sender(self, url: str, message: str, *users: tuple[str, str]) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*self.command, message, *self.arguments(users)],
            env={**os.environ, "CARILLON_URL": url},
            capture_output=True,
            text=True,
            timeout=60,
        )

    @staticmethod
    def arguments(users) -> list[str]:
        return [f"{number}:{login}" for number, login in users]

    def history(self, number: str, login: str) -> list[dict]:
        answer = call(self.hub, "GET", f"/api/v1/admin/history?user_id={number}&login={login}")
        return [message["payload"] for message in answer.json["messages"]]

    def test_what_it_sends_is_there(self):
        message = 'Say "hello" to C:\\ and Ünïcödé <b>🔔</b>'
        # Above 2^53, where a double would round.
        users = [("9007199254740993", self.language), ("2", self.language)][: self.users]
        run = self.run_sender(self.hub.url, message, *users)
        self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)
        ids = [match[0] for match in UUID.finditer(run.stdout)]
        self.assertEqual(len(ids), len(users), run.stdout)
        for user, notification in zip(users, ids):
            self.assertIn(user[0], run.stdout)
            payload = self.history(*user)[-1]
            self.assertEqual((payload["message"], payload["notification_id"]), (message, notification))

    def test_a_refusal_is_told_and_not_repeated(self):
        run = self.run_sender(self.hub.url, "refused", ("1", "no login"))
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        for words in ("422", "invalid_field", "/target/0/login"):
            self.assertIn(words, run.stderr)
        self.assertNotIn("again", run.stderr)

    def test_it_tries_again_with_the_same_key(self):
        flaky = FlakyHub(None, 503, 409, 202)
        self.addCleanup(flaky.stop)
        run = self.run_sender(flaky.url, "in the end", ("1", "alice"))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("redis_unavailable", run.stderr)
        # By themselves they would wait longer each time: that is Retry-After.
        self.assertEqual(run.stderr.count("again in 1"), 3, run.stderr)
        self.assertEqual(len(flaky.requests), 4)
        self.assertEqual(len(set(flaky.requests)), 1, "another key or body")

    def test_without_a_notification_it_says_how_it_is_used(self):
        run = subprocess.run(self.command, capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 64)
        self.assertIn("Your order has been shipped", run.stderr)


class PythonSender(Sender, unittest.TestCase):
    language = "python"

    @classmethod
    def prepare(cls) -> list[str]:
        return [cls.need("python3"), "-B", str(EXAMPLES / "python/send.py")]


class CurlSender(Sender, unittest.TestCase):
    language = "curl"
    users = 1

    @classmethod
    def prepare(cls) -> list[str]:
        cls.need("curl")
        return [str(EXAMPLES / "curl/send.sh")]

    @staticmethod
    def arguments(users) -> list[str]:
        return [*users[0]]

    def test_it_sends_to_a_channel(self):
        call(self.hub, "PUT", "/api/v1/notifications/channels/orders?user_id=5&login=erin")
        environment = {**os.environ, "CARILLON_URL": self.hub.url}
        run = subprocess.run([*self.command, "Shop closed", "orders"], env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(json.loads(run.stdout)["audience"], {"channel": "orders"})
        rows = call(self.hub, "GET", "/api/v1/notifications?user_id=5&login=erin").json["notifications"]
        self.assertEqual([row["message"] for row in rows], ["Shop closed"])


class GoSender(Sender, unittest.TestCase):
    language = "go"

    @classmethod
    def prepare(cls) -> list[str]:
        program = BUILD / "go/send"
        environment = {**os.environ, "GOCACHE": str(BUILD / "go/cache"), "GOFLAGS": "-mod=mod", "GOPROXY": "off"}
        subprocess.run([cls.need("go"), "build", "-o", program, "."], cwd=EXAMPLES / "go", env=environment, check=True)
        return [str(program)]


class SwiftSender(Sender, unittest.TestCase):
    language = "swift"

    @classmethod
    def prepare(cls) -> list[str]:
        arguments = ["--package-path", str(EXAMPLES / "swift"), "--scratch-path", str(BUILD / "swift")]
        built = subprocess.run([cls.need("swift"), "build", *arguments], capture_output=True, text=True)
        if built.returncode:
            raise AssertionError(built.stdout + built.stderr)
        return [str(BUILD / "swift/debug/send")]


if __name__ == "__main__":
    unittest.main()
