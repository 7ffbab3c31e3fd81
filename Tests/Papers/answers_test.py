"""Every answer that web/openapi.json has for an operation, provoked on a real server and judged by the document."""

import http.client
import json
import unittest
import urllib.parse

from papers import OPENAPI, Hub, call, check, closed, in_an_hour, operations, redis, resolved

DOCUMENT = closed(OPENAPI)
ALICE = {"id": 1, "login": "alice"}
TOO_LONG = b"[" + b" " * 1_048_576
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
# 409 takes two requests at one moment, a stopping pod answers for three seconds, a single pod lists its devices without Redis,
# 101 is what the scripted sessions begin with, and the page is there.
NOT_PROVOKED = {
    *((name, "409") for name in ("notify", "notifyInbox", "notifyCamel")),
    *((name, "503") for name in ("stream", "webSocket", "live", "metrics", "page", "file", "clients", "users")),
    ("webSocket", "101"),
    ("page", "404"),
}


class Operation:
    def __init__(self, path: str, method: str, content: dict, parameters: list[dict]):
        self.path, self.method, self.parameters = path, method.upper(), parameters
        self.name = content["operationId"]
        self.answers = {status: resolved(DOCUMENT, answer) for status, answer in content["responses"].items()}
        self.takes_user = any(parameter["name"] == "login" for parameter in parameters)
        self.is_about_one = any(parameter["name"] == "notification_id" for parameter in parameters)
        self.body = None
        if "requestBody" in content:
            examples = resolved(OPENAPI, content["requestBody"])["content"]["application/json"]["examples"]
            self.body = resolved(OPENAPI, next(iter(examples.values())))["value"]
        if self.body and "until" in self.body:
            self.body = {"until": in_an_hour()}

    def target(self, notification: str, without: str | None = None) -> str:
        """Path and query with what is required, by the examples of the document."""
        values = {parameter["name"]: str(parameter.get("example", "")) for parameter in self.parameters}
        values["notification_id"] = notification
        path = self.path
        for name, value in values.items():
            path = path.replace(f"{{{name}}}", urllib.parse.quote(value, safe=""))
        required = [p["name"] for p in self.parameters if p["in"] == "query" and p.get("required") and p["name"] != without]
        return path + ("?" + urllib.parse.urlencode({name: values[name] for name in required}) if required else "")


class AnswersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = Hub()
        cls.addClassCleanup(cls.hub.stop)
        cls.operations = [Operation(*described) for described in operations()]

    def setUp(self):
        self.seen: set[tuple[str, str]] = set()

    def notification(self) -> str:
        answer = call(self.hub, "POST", "/api/v1/notify", {"target": [ALICE], "message": "hello", "data": {"a": 1}, "title": "t"})
        return answer.json["results"][0]["notification_id"]

    def ask(self, operation: Operation, expected: str, target: str, body=None, has_host=True, **headers: str):
        """Sends a request and judges the answer, whose status must be what is expected."""
        link = http.client.HTTPConnection("127.0.0.1", self.hub.port, timeout=10)
        self.addCleanup(link.close)
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"Content-Type": "application/json"} if data is not None else {}
        link.putrequest(operation.method, target, skip_host=not has_host)
        if data is not None or operation.method in ("PUT", "POST"):
            named["Content-Length"] = str(len(data or b""))
        for name, value in {**named, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
            link.putheader(name, value)
        link.endheaders()
        try:
            link.send(data or b"")
        except ConnectionError:
            pass  # It was refused before all of it was there.
        answer = link.getresponse()
        with self.subTest(operation.name, status=expected, target=target):
            self.judge(operation, expected, answer)
        return answer

    def judge(self, operation: Operation, expected: str, answer: http.client.HTTPResponse):
        media = (answer.headers["Content-Type"] or "").split(";")[0]
        # A stream has no end to wait for.
        text = b"" if media == "text/event-stream" else answer.read()
        self.assertEqual(str(answer.status), expected, text)
        described = operation.answers[expected]
        for name, header in described.get("headers", {}).items():
            header = resolved(DOCUMENT, header)
            value = answer.headers[name]
            if header.get("required"):
                self.assertIsNotNone(value, f"{name} is missing")
            if value is not None and header["schema"].get("type") != "integer":
                check(DOCUMENT, header["schema"], value)
        content = described.get("content", {})
        self.assertEqual(bool(content), answer.status != 304, "content")
        if content:
            self.assertTrue(media in content or "*/*" in content, media)
            if "json" in media and media in content:
                check(DOCUMENT, content[media]["schema"], json.loads(text))
        self.seen.add((operation.name, expected))

    def test_every_answer(self):
        for operation in self.operations:
            if operation.path != "/ws":
                self.success(operation)
            self.refusals(operation)
        self.redis_away()
        described = {(operation.name, status) for operation in self.operations for status in operation.answers}
        described = {answer for answer in described if answer[1] != "default"}
        self.assertEqual(described - self.seen - NOT_PROVOKED, set(), "nobody saw these answers")
        self.assertEqual(NOT_PROVOKED - described, set())

    def success(self, operation: Operation):
        target = operation.target(self.notification())
        status = next(iter(operation.answers))
        answer = self.ask(operation, status, target, operation.body)
        if "304" in operation.answers:
            self.ask(operation, "304", target, If_None_Match=answer.headers["ETag"] or "")

    def refusals(self, operation: Operation):
        target = operation.target(self.notification())
        if operation.takes_user:
            handshake = HANDSHAKE if operation.path == "/ws" else {}
            self.ask(operation, "400", operation.target("a", without="login"), operation.body, **handshake)
        else:
            self.ask(operation, "400", target, operation.body, has_host=False)
        if operation.is_about_one:
            self.ask(operation, "404", operation.target("nobody-sent-this"), operation.body)
        if operation.name == "file":
            self.ask(operation, "404", "/missing.html")
        if operation.body:
            self.ask(operation, "400", target, b"{")
            self.ask(operation, "413", target, TOO_LONG)
            self.ask(operation, "415", target, operation.body, Content_Type="text/plain")
            wrong = {name: 7 for name in operation.body}
            self.ask(operation, "422", target, wrong)
        if operation.path == "/ws":
            self.ask(operation, "426", target)
        if "/channels/" in operation.path:
            self.ask(operation, "400", target.replace("orders", "x" * 129))
        if operation.name in ("subscribe", "subscribeCamel"):
            for number in range(99):
                call(self.hub, "PUT", target.replace("orders", f"c{number}"))
            self.ask(operation, "422", target.replace("orders", "one-more"))

    def redis_away(self):
        target_of = self.notification()
        redis(self.hub, "SHUTDOWN", "NOSAVE")
        # Its orderly end would wait for Redis.
        self.addCleanup(self.hub.server.process.kill)
        for operation in self.operations:
            if "503" in operation.answers and (operation.name, "503") not in NOT_PROVOKED:
                self.ask(operation, "503", operation.target(target_of), operation.body)


if __name__ == "__main__":
    unittest.main()
