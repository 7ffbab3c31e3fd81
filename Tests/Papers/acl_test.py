"""The user that docs/COMPATIBILITY.md proposes for Redis, on a real Redis: everything works, and it may do nothing needless."""

import contextlib
import datetime
import re
import socket
import unittest

from listeners import WebSocketDevice
from papers import ROOT, Hub, call, eventually, in_an_hour

COMPATIBILITY = (ROOT / "docs/COMPATIBILITY.md").read_text(encoding="utf-8")
RULES = re.search(r"^user carillon (.+)$", COMPATIBILITY, re.MULTILINE)[1].replace(">PASSWORD", ">secret")
ALICE, BOB, CAROL = ({"id": number, "login": login} for number, login in enumerate(("alice", "bob", "carol"), 1))
OF_ALICE = "?user_id=1&login=alice"
FAST = {"TTL_JANITOR_INTERVAL": "1s", "RETENTION_TRIM_INTERVAL": "1s", "GROUP_MAINTENANCE_INTERVAL": "1s", "UPKEEP_INTERVAL": "1s"}
# What takes a fault to happen: a read that Redis refused half of, a hash where the table of heartbeats should be, another pod's
# lock, a stream that was trimmed.
TAKES_A_FAULT = {"type", "xgroup|setid"}


class RestrictedHub(Hub):
    """A hub whose server signs in as the user of the document."""

    def start_server(self) -> None:
        self.command(f"ACL SETUSER carillon {RULES}")
        super().start_server()

    def command(self, line: str) -> str:
        with socket.create_connection(("127.0.0.1", self.redis_port), timeout=10) as link:
            link.sendall(line.encode() + b"\r\nPING\r\n")
            answer = b""
            while not answer.endswith(b"+PONG\r\n"):
                answer += link.recv(65_536)
            return answer.decode()


class ACLTest(unittest.TestCase):
    def setUp(self):
        self.hub = RestrictedHub(REDIS_USERNAME="carillon", REDIS_PASSWORD="secret", **FAST)
        self.addCleanup(self.hub.stop)

    def ok(self, method: str, path: str, body=None, **headers: str):
        answer = call(self.hub, method, path, body, **headers)
        self.assertLess(answer.status, 300, f"{method} {path}: {answer.body}")
        return answer

    def post(self, **members) -> str:
        answer = self.ok("POST", "/api/v1/notify", {"target": [ALICE], "message": "hello"} | members)
        return answer.json["results"][0]["notification_id"]

    def test_it_does_for_everything(self):
        with contextlib.closing(WebSocketDevice(self.hub, user_id="1", login="alice")) as device:
            device.until("session.ready")
            self.notifications(device)
            self.inbox()
            self.topics()
            self.workers()
        for path in ("clients", "users", "pods", "pending", f"history{OF_ALICE}"):
            self.ok("GET", f"/api/v1/admin/{path}")
        self.hub.server.stop()
        refused = re.findall(r"\nobject\r\n\$\d+\r\n(.+?)\r\n", self.hub.command("ACL LOG"))
        # It asks for the setting of the append-only file, to say in its log what a 202 means, and can do without.
        self.assertEqual(set(refused), {"config|get"})
        self.nothing_needless()

    def notifications(self, device: WebSocketDevice) -> None:
        pushed = self.post()
        data = device.until("notification.push", notification_id=pushed)
        device.say("notification.read", {"notification_id": pushed, "stream_id": data["stream_id"]})
        device.until("notification.read.ack")
        keyed = {"target": [ALICE, BOB], "message": "once"}
        for _ in range(2):
            self.ok("POST", "/api/v1/notify", keyed, Idempotency_Key="one")
        self.post(collapse_key="a")
        self.ok("GET", f"/api/v1/notify/{self.post(collapse_key='a')}")
        self.ok("DELETE", f"/api/v1/notify/{self.post()}")

    def inbox(self) -> None:
        entry = f"/api/v1/notifications/{self.post()}"
        for action in ("read", "unread", "seen", "archive", "unarchive"):
            self.ok("PUT", f"{entry}/{action}{OF_ALICE}")
        self.ok("PUT", f"{entry}/snooze{OF_ALICE}", {"until": in_an_hour()})
        self.ok("PUT", f"{entry}/unsnooze{OF_ALICE}")
        self.ok("GET", entry + OF_ALICE)
        self.ok("DELETE", entry + OF_ALICE)
        self.ok("PUT", f"/api/v1/notifications/retention{OF_ALICE}", {"days": 3})
        for path in ("", "/unread-count", "/count", "/retention", "/channels"):
            self.ok("GET", f"/api/v1/notifications{path}{OF_ALICE}")
        for path in ("read-all", "seen-all"):
            self.ok("PUT", f"/api/v1/notifications/{path}{OF_ALICE}")

    def topics(self) -> None:
        self.ok("PUT", f"/api/v1/notifications/channels/orders{OF_ALICE}")
        told = self.ok("POST", "/api/v1/notify", {"audience": {"channel": "orders"}, "message": "closed"}).json["notification_id"]
        self.ok("PUT", f"/api/v1/notifications/{told}/read{OF_ALICE}")
        self.ok("DELETE", f"/api/v1/notifications/channels/orders{OF_ALICE}")

    def workers(self) -> None:
        """Until a lock was renewed, a snooze has ended, the janitor has popped a user, and the sweep met an empty stream."""
        snoozed = self.post()
        soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)
        self.ok("PUT", f"/api/v1/notifications/{snoozed}/snooze{OF_ALICE}", {"until": soon.isoformat()})
        self.ok("DELETE", f"/api/v1/notify/{self.post(target=[CAROL])}")
        self.post(ttl_seconds=1)
        eventually(lambda: {"getex", "zrem", "spop", "xlen"} <= self.used(), "all workers have worked", 40)

    def used(self) -> set[str]:
        return set(re.findall(r"cmdstat_([\w|]+):", self.hub.command("INFO commandstats")))

    def nothing_needless(self) -> None:
        """Every command that the line allows was carried out."""
        allowed = set(re.findall(r"\+([a-z|]+)", RULES))
        self.assertEqual(allowed - self.used() - TAKES_A_FAULT, set(), "allowed and never used")


if __name__ == "__main__":
    unittest.main()
