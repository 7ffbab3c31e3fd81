"""Scripted sessions over WebSockets and server-sent events: whatever they hear must be what web/asyncapi.json says, and
they hear every message and every error code that stands there."""

import unittest

from listeners import NotificationsDevice, StreamReader, WebSocketDevice
from papers import ASYNCAPI, Hub, call, in_an_hour, redis

CODES = ASYNCAPI["components"]["schemas"]["Refusal"]["properties"]["code"]["enum"]
ALICE = {"id": 1, "login": "alice"}
# One more than a device may have waiting for their answers.
TOO_MANY_SYNCS = 257
# Of one user.
MOST_TOPICS = 100


class SessionTest(unittest.TestCase):
    def setUp(self):
        self.hub = Hub(GROUP_MAINTENANCE_INTERVAL="1s", WS_MESSAGES_PER_SECOND="1000")
        self.addCleanup(self.hub.stop)

    def device(self, kind, **query):
        device = kind(self.hub, **{"user_id": "1", "login": "alice", **query})
        self.addCleanup(device.close)
        return device

    def notify(self, message: str, **members) -> str:
        answer = call(self.hub, "POST", "/api/v1/notify", {"target": [ALICE], "message": message, **members})
        self.assertEqual(answer.status, 202, answer.body)
        return answer.json["results"][0]["notification_id"]

    def verb(self, method: str, path: str, body=None) -> None:
        answer = call(self.hub, method, f"/api/v1/notifications/{path}?user_id=1&login=alice", body)
        self.assertEqual(answer.status, 200, answer.body)

    def test_a_websocket_hears_what_is_described(self):
        device = self.device(WebSocketDevice, unread_count="true")
        device.until("session.ready")
        self.pushes(device)
        self.refusals(device)
        self.inbox_changes(device)
        self.topics(device)
        self.clearing(device)
        self.busy_and_unavailable(device)
        self.assertEqual(device.not_heard(), set())
        codes = {frame["data"]["code"] for frame in device.heard if frame["type"] == "error"}
        self.assertEqual(set(CODES) - codes, set())
        self.all_actions(device)

    def test_a_stream_hears_what_is_described(self):
        stream = self.device(StreamReader, unread_count="true")
        stream.until("session.ready")
        device = self.device(WebSocketDevice)
        device.until("session.ready")
        self.pushes(device)
        stream.until("notification.read.ack")
        self.inbox_changes(stream)
        self.clearing(stream)
        self.history_goes_back(stream)
        self.assertEqual(stream.not_heard(), set())
        self.all_actions(stream)

    def test_a_device_of_the_subprotocol_hears_what_is_described(self):
        device = self.device(NotificationsDevice)
        sent = self.notify("Shipped", title="Order 7", type="order.shipped", channel="orders", data={"order": 7})
        heard = device.until("notification", id=sent)
        device.until("notificationStatus", notificationId=sent, status="delivered")
        device.say("ack", {"notificationId": sent})
        device.until("notificationStatus", notificationId=sent, status="read")
        for since in ({}, {"since": heard["timestamp"]}, {"since": 0}, {"since": "0"}, {"since": "1-0,2-0@orders"}):
            device.say("requestMissedNotifications", since)
            device.until("notification", id=sent)
            device.until("notificationStatus", notificationId=sent, status="read")
        self.subscriptions_of_the_subprotocol(device)
        self.statuses_of_the_subprotocol(device)
        self.refusals_of_the_subprotocol(device)
        self.assertEqual(device.not_heard(), set())
        codes = {frame["data"]["code"] for frame in device.heard if frame["type"] == "error"}
        self.assertEqual(codes, set(CODES) - {"busy"})
        statuses = {frame["data"]["status"] for frame in device.heard if frame["type"] == "notificationStatus"}
        described = ASYNCAPI["components"]["schemas"]["NotificationStatusV1"]["properties"]["status"]["enum"]
        self.assertEqual(statuses, set(described))

    def subscriptions_of_the_subprotocol(self, device):
        witness = self.device(WebSocketDevice)
        device.say("subscribe", {"userId": 1, "channels": ["orders"]})
        witness.until("subscribe.ack", channels=["orders"])
        answer = call(self.hub, "POST", "/api/v1/notify", {"audience": {"channel": "orders"}, "message": "to a channel"})
        device.until("notification", id=answer.json["notification_id"], channel="orders")
        device.say("subscribe", {"channels": [f"topic-{number}" for number in range(MOST_TOPICS)]})
        device.until("error", code="limit", type="subscribe")
        device.say("unsubscribe", {"channels": ["orders"]})
        witness.until("subscribe.ack", channels=[])

    def statuses_of_the_subprotocol(self, device):
        for end, status in ((self.delete, "deleted"), (self.withdraw, "withdrawn"), (self.expire, "auto_cleared")):
            sent = self.notify("it will not stay")
            device.until("notification", id=sent)
            end(sent)
            device.until("notificationStatus", notificationId=sent, status=status)
            device.say("ack", {"notificationId": sent})
            device.until("error", code="gone", type="ack", notificationId=sent)

    def delete(self, notification: str) -> None:
        self.verb("DELETE", notification)

    def withdraw(self, notification: str) -> None:
        self.assertEqual(call(self.hub, "DELETE", f"/api/v1/notify/{notification}").status, 200)

    def expire(self, notification: str) -> None:
        redis(self.hub, "DEL", f"notification:{notification}")

    def refusals_of_the_subprotocol(self, device):
        for text, code in (
            ("nonsense", "malformed_json"),
            ('{"type":"updatePreferences","data":{"email":true}}', "unknown_type"),
            ('{"type":"subscribe","data":{"userId":2}}', "invalid_data"),
            ('{"type":"ack","data":{"notificationId":"nobody\'s"}}', "not_found"),
        ):
            device.say_anything(text)
            device.until("error", code=code)
        sent = self.notify("read while Redis is full")
        device.until("notification", id=sent)
        redis(self.hub, "CONFIG", "SET", "maxmemory", "1")
        device.say("ack", {"notificationId": sent})
        device.until("error", code="unavailable", notificationId=sent)
        redis(self.hub, "CONFIG", "SET", "maxmemory", "0")

    def all_actions(self, listener):
        actions = {frame["data"]["action"] for frame in listener.heard if frame["type"] == "inbox.changed"}
        described = ASYNCAPI["components"]["schemas"]["InboxChange"]["properties"]["action"]["enum"]
        self.assertEqual(set(described) - actions, set())

    def pushes(self, device):
        for optional in (
            {},
            {
                "title": "Order 7",
                "type": "order.shipped",
                "channel": "orders",
                "priority": "high",
                "data": {"order": 7},
                "ttl_seconds": 600,
                "source": "orders",
                "created_at": "2024-01-01T13:00:00+01:00",
            },
        ):
            sent = self.notify("Shipped", **optional)
            push = device.until("notification.push", notification_id=sent)
        entry = {name: push[name] for name in ("notification_id", "stream_id")}
        device.say("notification.read", [entry])
        device.until("notification.read.ack", **entry)
        device.say("notification.read", {"notification_id": sent, "stream_id": "1-1"})
        device.until("error", code="not_found")
        for wanted in ({}, {"limit": 1}, {"since": "1-0", "before": push["stream_id"]}):
            device.say("sync.request", wanted)
            device.until("sync.response")
        device.say("retention.set", {"days": 7})
        device.until("retention.set.ack", days=7)

    def refusals(self, device):
        for text, code in (
            ("nonsense", "malformed_json"),
            ('{"type":"nonsense","data":{}}', "unknown_type"),
            ('{"type":"retention.set","data":{"days":16}}', "invalid_data"),
            ('{"data":{}}', "invalid_data"),
        ):
            device.say_anything(text)
            device.until("error", code=code)

    def inbox_changes(self, listener):
        sent = self.notify("An order")
        listener.until("notification.push", notification_id=sent)
        for verb in ("read", "unread", "seen", "archive", "unarchive", "snooze", "unsnooze"):
            self.verb("PUT", f"{sent}/{verb}", {"until": in_an_hour()} if verb == "snooze" else None)
            listener.until("inbox.changed", action=verb)
        self.verb("DELETE", sent)
        listener.until("inbox.changed", action="delete")
        self.notify("3 comments", collapse_key="comments")
        last = self.notify("4 comments", collapse_key="comments")
        listener.until("inbox.changed", action="collapse")
        call(self.hub, "DELETE", f"/api/v1/notify/{last}")
        listener.until("inbox.changed", action="withdraw")
        listener.until("inbox.changed", action="count")

    def history_goes_back(self, stream):
        """An id of the future, then none at all: the next one is lower than what the stream has told."""
        redis(self.hub, "SET", "notification:future", "{}")
        redis(self.hub, "XADD", "stream:user:1-alice", "4000000000000-0", "nid", "future")
        stream.until("notification.push", notification_id=self.notify("after the future"))
        redis(self.hub, "DEL", "stream:user:1-alice")
        self.notify("of the present")
        stream.until("session.end", code=1012)

    def topics(self, device):
        device.say("subscribe", {"channels": ["orders"]})
        device.until("subscribe.ack", channels=["orders"])
        answer = call(self.hub, "POST", "/api/v1/notify", {"audience": {"channel": "orders"}, "message": "to a topic"})
        self.assertEqual(answer.status, 202, answer.body)
        device.until("notification.push", notification_id=answer.json["notification_id"])
        full = sorted(["orders", *(f"topic-{number}" for number in range(MOST_TOPICS - 1))])
        device.say("subscribe", {"channels": full})
        device.until("subscribe.ack", channels=full)
        device.say("subscribe", {"channels": ["one-more"]})
        device.until("error", code="limit")
        device.say("unsubscribe", {"channels": full})
        device.until("subscribe.ack", channels=[])

    def clearing(self, listener):
        sent = self.notify("its payload is deleted")
        push = listener.until("notification.push", notification_id=sent)
        # Quicker than waiting for the janitor, whose slots are ten seconds long: the sweep finds this.
        redis(self.hub, "DEL", f"notification:{sent}")
        cleared = listener.until("notification.auto_cleared", notification_id=sent)
        self.assertEqual(cleared["stream_id"], push["stream_id"])
        if isinstance(listener, WebSocketDevice):
            listener.say("notification.read", cleared)
            listener.until("error", code="gone")

    def busy_and_unavailable(self, device):
        for _ in range(2 * TOO_MANY_SYNCS):
            device.say("sync.request", {"limit": 100})
        device.until("error", code="busy")
        entry = {"notification_id": self.notify("read while Redis is full"), "stream_id": "1-1"}
        entry["stream_id"] = device.until("notification.push", notification_id=entry["notification_id"])["stream_id"]
        # A full Redis refuses to store the read.
        redis(self.hub, "CONFIG", "SET", "maxmemory", "1")
        device.say("notification.read", entry)
        device.until("error", code="unavailable")
        redis(self.hub, "CONFIG", "SET", "maxmemory", "0")


if __name__ == "__main__":
    unittest.main()
