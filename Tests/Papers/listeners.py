"""Devices of the scripted sessions. Whatever they hear must be what web/asyncapi.json says."""

import contextlib
import http.client
import json
import urllib.parse

from websockets.sync.client import connect

import asyncapi_rules
from papers import ASYNCAPI, Hub, check, closed

DOCUMENT = closed(ASYNCAPI)
SECONDS = 10


class Listener:
    """Keeps what was heard, and raises on whatever the document does not have."""

    def __init__(self, channel: str):
        self._messages = {
            message["name"]: message
            for name in ASYNCAPI["channels"][channel]["messages"]
            for message in [DOCUMENT["components"]["messages"][name]]
            if message["name"] in asyncapi_rules.messages("send", channel)
        }
        self.heard: list[dict] = []

    def take(self, kind: str, payload, headers: dict | None = None) -> None:
        message = self._messages.get(kind)
        assert message, f"nobody described {kind}: {payload}"
        check(DOCUMENT, message["payload"], payload)
        if headers is not None:
            check(DOCUMENT, message["headers"], headers)

    def until(self, kind: str, **members) -> dict:
        """The data of the next frame of this type that has these members."""
        while True:
            frame = self.next()
            self.heard.append(frame)
            data = frame["data"]
            if frame["type"] == kind and all(data.get(name) == value for name, value in members.items()):
                return data

    def kinds(self) -> set[str]:
        return {frame["type"] for frame in self.heard}

    def not_heard(self) -> set[str]:
        return set(self._messages) - self.kinds()


class WebSocketDevice(Listener):
    CHANNEL = "webSocket"
    SUBPROTOCOL = None

    def __init__(self, hub: Hub, **query: str):
        super().__init__(self.CHANNEL)
        self._said = asyncapi_rules.messages("receive", self.CHANNEL)
        address = f"ws{hub.url.removeprefix('http')}/ws?{urllib.parse.urlencode(query)}"
        offered = self.SUBPROTOCOL and ["chat", self.SUBPROTOCOL]
        self._opened = contextlib.ExitStack()
        self._socket = self._opened.enter_context(connect(address, subprotocols=offered, max_size=None, max_queue=None))
        assert self._socket.subprotocol == self.SUBPROTOCOL

    def next(self) -> dict:
        frame = json.loads(self._socket.recv(timeout=SECONDS))
        self.take(frame["type"], frame)
        return frame

    def say(self, kind: str, data) -> None:
        """Says what the document has."""
        frame = {"type": kind, "data": data}
        check(DOCUMENT, self._said[kind]["payload"], frame)
        self.say_anything(json.dumps(frame))

    def say_anything(self, text: str) -> None:
        self._socket.send(text)

    def close(self) -> None:
        self._opened.close()


class NotificationsDevice(WebSocketDevice):
    CHANNEL = "notifications"
    SUBPROTOCOL = "notifications.v1+json"


class StreamReader(Listener):
    def __init__(self, hub: Hub, **query: str):
        super().__init__("stream")
        self._connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=SECONDS)
        self._connection.request("GET", f"/api/v1/stream?{urllib.parse.urlencode(query)}")
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        assert self._answer.headers["Content-Type"].startswith("text/event-stream")

    def next(self) -> dict:
        """The next event; comments and `retry:` are passed over."""
        fields: dict[str, str] = {}
        while line := self._answer.readline().decode():
            line = line.rstrip("\r\n")
            if not line and "event" in fields:
                payload = json.loads(fields.pop("data"))
                fields.pop("retry", None)
                self.take(fields["event"], payload, fields)
                return {"type": fields["event"], "data": payload}
            if not line:
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
        raise AssertionError("the stream has ended")

    def close(self) -> None:
        self._connection.close()
