"""Topics in the SDK. Not called by scripts/test.sh until the server has them: then this becomes topics_test.py."""

import json
import unittest
import urllib.request

from sdk_test import SDKTest


class TopicTest(SDKTest):
    def announce(self, message, **audience):
        body = json.dumps({"audience": audience, "message": message}).encode()
        request = urllib.request.Request(f"{self.hub.url}/api/v1/notify", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["notification_id"]

    def test_who_has_subscribed_hears_it_and_who_was_away_gets_it_later(self):
        first, second = (1, "alice"), (2, "bob")
        context = self.context()
        alice = self.connect(self.tab(context), first, channels=["orders"])
        bob = self.connect(self.tab(self.context()), second)
        self.eventually(lambda: alice.evaluate("session.channels()") == ["orders"], "subscribed by the option")
        self.announce("for orders", channel="orders")
        self.announce("for everybody", all=True)
        self.shows(alice, "session.items.length === 2 && session.unreadCount === 2")
        self.shows(bob, "session.items.length === 1")
        self.read(alice, "for orders")
        self.post(first, "own")
        self.shows(alice, "session.items.length === 3 && session.unreadCount === 2")
        self.assertEqual(sorted(alice.evaluate("session.position.since.split(',').map((id) => id.split('@')[1] ?? null)"), key=str), ["", None, "orders"])
        self.hub.server.process.kill()
        self.hub.server.process.wait()
        self.hub.start_server()
        self.announce("missed", channel="orders")
        self.shows(alice, "session.items.length === 4 && session.unreadCount === 3")
        self.assertEqual(len(self.heard(alice, "notification")), 4, "nothing came twice")
        later = self.connect(self.tab(self.context()), first)
        self.assertEqual(later.evaluate("[session.items.length, session.unreadCount]"), [4, 3])
        alice.evaluate("session.unsubscribe('orders')")
        self.eventually(lambda: alice.evaluate("session.channels()") == [], "unsubscribed")
        self.announce("unheard", channel="orders")
        self.announce("heard", all=True)
        self.shows(alice, "session.items[0].message === 'heard'")
        self.assertNotIn("unheard", self.messages(alice))


if __name__ == "__main__":
    unittest.main(verbosity=2)
