"""Topics in the SDK and in the bell: channels and messages for everybody, by every way that leads to the hub."""

import json
import unittest
import urllib.parse
import urllib.request

from playwright.sync_api import expect

from foreign_pod import Redis
from harness import Hub
from proxy import Proxy
from sdk_test import SDKTest


class TopicCase(SDKTest):
    """Each test has a hub of its own: what is for everybody is for the users of all tests."""

    def setUp(self):
        super().setUp()
        self.hub = Hub(WEB_DIR=str(self.folder), UPKEEP_INTERVAL="1s")
        self.addCleanup(self.hub.stop)

    def announce(self, message, **audience):
        body = json.dumps({"audience": audience, "message": message}).encode()
        request = urllib.request.Request(f"{self.hub.url}/api/v1/notify", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["notification_id"]

    def subscribed(self, user, *channels):
        def known():
            return self.asked("/api/v1/notifications/channels", user)["channels"] == list(channels)

        self.eventually(known, f"subscribed to {channels}")

    def kill(self):
        self.hub.server.process.kill()
        self.hub.server.process.wait()

    def shows_once(self, page, *messages):
        """Newest first, and each was told once."""
        self.shows(page, f"JSON.stringify(session.items.map(({{ message }}) => message)) === `{json.dumps(messages, separators=(',', ':'))}`")
        told = [item["message"] for item in self.heard(page, "notification")]
        self.assertEqual(sorted(told), sorted(set(told)), "each once")

    def count(self, page, unread):
        self.shows(page, f"session.unreadCount === {unread}")


class TopicTest(TopicCase):
    def test_who_has_subscribed_hears_it_and_who_was_away_gets_it_later(self):
        first, second = (1, "alice"), (2, "bob")
        context = self.context()
        alice = self.connect(self.tab(context), first, channels=["orders"])
        bob = self.connect(self.tab(self.context()), second)
        self.subscribed(first, "orders")
        self.announce("for orders", channel="orders")
        self.announce("for everybody", all=True)
        self.shows_once(alice, "for everybody", "for orders")
        self.shows_once(bob, "for everybody")
        self.assertEqual(alice.evaluate("session.items.map(({ topic, channel }) => [topic, channel ?? null])"), [["", None], ["orders", "orders"]])
        self.read(alice, "for orders")
        self.post(first, "own")
        self.shows(alice, "session.items.length === 3 && session.unreadCount === 2")
        topics = "session.position.since.split(',').map((id) => id.split('@')[1] ?? null)"
        self.assertEqual(sorted(alice.evaluate(topics), key=str), ["", None, "orders"])
        self.kill()
        self.hub.start_server()
        self.announce("missed", channel="orders")
        self.shows_once(alice, "missed", "own", "for everybody", "for orders")
        self.count(alice, 3)
        later = self.connect(self.tab(self.context()), first)
        self.assertEqual(later.evaluate("[session.items.length, session.unreadCount]"), [4, 3])

    def test_two_tabs_and_a_second_browser_stay_in_step(self):
        user = (3, "carol")
        context = self.context()
        other = self.connect(self.tab(self.context()), user)
        leader = self.connect(self.tab(context), user, channels=["orders"])
        follower = self.connect(self.tab(context), user, channels=["news"])
        pages = (leader, follower, other)
        self.subscribed(user, "news", "orders")
        for page in pages:
            self.shows(page, "log.some(({ type, detail }) => type === 'channels' && detail.length === 2)")
        self.announce("an order", channel="orders")
        self.announce("some news", channel="news")
        self.announce("for everybody", all=True)
        self.post(user, "own")
        for page in pages:
            self.shows_once(page, "own", "for everybody", "some news", "an order")
            self.count(page, 4)
        self.read(follower, "an order")
        self.read(other, "for everybody")
        for page in pages:
            self.count(page, 2)
            self.assertEqual(len(self.heard(page, "read")), 2)
        follower.evaluate("session.archive(session.items.find(({ message }) => message === 'some news'))")
        for page in pages:
            self.count(page, 1)
        other.evaluate("session.unsubscribe(['news', 'nothing'])")
        for page in pages:
            self.shows_once(page, "own", "for everybody", "an order")
            self.count(page, 1)
        self.announce("unheard", channel="news")
        self.announce("heard", channel="orders")
        for page in pages:
            self.shows_once(page, "heard", "own", "for everybody", "an order")
            self.count(page, 2)
        self.assertEqual(follower.evaluate("session.channels()"), ["orders"])
        self.assert_quiet_console()

    def test_away_and_back_with_a_position_of_several_streams(self):
        user = (4, "dave")
        context = self.context()
        page = self.connect(self.tab(context), user, channels=["orders", "news"])
        self.subscribed(user, "news", "orders")
        for message, audience in (("order 1", {"channel": "orders"}), ("all 1", {"all": True})):
            self.announce(message, **audience)
        self.post(user, "own 1")
        self.shows_once(page, "own 1", "all 1", "order 1")
        position = page.evaluate("session.position")
        page.close()
        for message, audience in (("order 2", {"channel": "orders"}), ("all 2", {"all": True}), ("news 1", {"channel": "news"})):
            self.announce(message, **audience)
        self.post(user, "own 2")
        back = self.connect(self.tab(context), user, **position)
        self.shows_once(back, "own 2", "news 1", "all 2", "order 2")
        self.count(back, 7)
        self.announce("order 3", channel="orders")
        self.shows_once(back, "order 3", "own 2", "news 1", "all 2", "order 2")

    def test_a_killed_hub_loses_and_doubles_nothing_in_any_tab(self):
        user = (5, "erin")
        context = self.context()
        pages = [self.connect(self.tab(context), user, channels=["orders"]) for _ in range(2)]
        self.subscribed(user, "orders")
        expected = []
        for round_number in range(3):
            for moment in ("before", "after"):
                if moment == "after":
                    self.kill()
                    for page in pages:
                        self.shows(page, "session.status.state === 'waiting'")
                    self.hub.start_server()
                self.announce(f"{moment} {round_number}, orders", channel="orders")
                self.announce(f"{moment} {round_number}, all", all=True)
                expected += [f"{moment} {round_number}, orders", f"{moment} {round_number}, all"]
                for page in pages:
                    self.shows_once(page, *expected[::-1])
        for page in pages:
            self.assertFalse(any(item["replayed"] for item in self.heard(page, "notification")), "what was missed is news")
            self.count(page, len(expected))

    def test_what_the_hub_has_lost_is_subscribed_to_again(self):
        user = (6, "frank")
        page = self.connect(self.tab(self.context()), user, channels=["orders"])
        self.subscribed(user, "orders")
        page.evaluate("session.subscribe('news')")
        self.post(user, "own")
        self.announce("lost", channel="orders")
        self.shows_once(page, "lost", "own")
        redis = Redis(self.hub.redis_port)
        redis.send(("FLUSHALL",))
        redis.close()
        self.shows(page, "log.some(({ type, detail }) => type === 'changed' && detail.action === 'reset')")
        self.subscribed(user, "news", "orders")
        self.announce("new", channel="orders")
        self.shows(page, "session.items.length === 1 && session.items[0].message === 'new'")

    def test_what_cannot_be_subscribed_to_is_a_problem_and_no_end(self):
        user = (7, "grace")
        page = self.connect(self.tab(self.context()), user, channels=["no name"])
        self.shows(page, "log.some(({ type, detail }) => type === 'problem' && detail.code === 'not_subscribed')")
        self.assertEqual(page.evaluate("session.status.state"), "live")
        with self.assertRaisesRegex(Exception, "channel"):
            page.evaluate("session.subscribe('a,b')")
        page.evaluate("session.subscribe(Array.from({ length: 100 }, (_, number) => `c${number}`))")
        with self.assertRaisesRegex(Exception, "at most 100 channels"):
            page.evaluate("session.subscribe('one-more')")
        self.assertEqual(page.evaluate("session.channels().then(({ length }) => length)"), 100)


class TopicWayTest(TopicCase):
    """The same where WebSockets are blocked."""

    def life(self, transport, user):
        proxy = Proxy(self.hub.url, buffers_streams=transport == "poll")
        self.addCleanup(proxy.stop)
        context = self.context()
        pages = [
            self.connect(self.tab(context, origin=proxy.url), user, patienceMs=1500, channels=[channel])
            for channel in ("orders", "news")
        ]
        other = self.connect(self.tab(self.context()), user)
        for page in pages:
            self.assertEqual(page.evaluate("session.status.transport"), transport)
        self.subscribed(user, "news", "orders")
        self.announce("an order", channel="orders")
        self.announce("for everybody", all=True)
        self.post(user, "own")
        for page in (*pages, other):
            self.shows_once(page, "own", "for everybody", "an order")
        self.read(pages[1], "an order")
        self.read(other, "for everybody")
        for page in (*pages, other):
            self.count(page, 1)
        self.kill()
        for page in pages:
            self.shows(page, "session.status.state !== 'live'")
        pages[0].evaluate("() => { session.markRead(session.items[0]) }")
        self.hub.start_server()
        self.announce("missed", channel="news")
        for page in (*pages, other):
            self.shows_once(page, "missed", "own", "for everybody", "an order")
            self.count(page, 1)
        pages[0].evaluate("session.unsubscribe('news')")
        for page in (*pages, other):
            self.shows_once(page, "own", "for everybody", "an order")
            self.count(page, 0)
        return proxy

    def test_event_streams(self):
        proxy = self.life("sse", (8, "heidi"))
        last = next(path for path in reversed(proxy.paths) if "/api/v1/stream" in path)
        since = urllib.parse.parse_qs(urllib.parse.urlsplit(last).query)["since"][0]
        self.assertEqual(sorted(id.partition("@")[1:] for id in since.split(",")), [("", ""), ("@", ""), ("@", "orders")])

    def test_long_poll(self):
        self.life("poll", (9, "ivan"))


class TopicBellTest(TopicCase):
    def test_the_bell_subscribes(self):
        user = (10, "judy")
        query = urllib.parse.urlencode({"user-id": user[0], "login": user[1], "channels": "orders, news"})
        page = self.tab(self.context(), f"/test/pages/bell.html?{query}")
        self.subscribed(user, "news", "orders")
        self.announce("Shop closed", channel="orders")
        self.announce("Maintenance at noon", all=True)
        badge = page.locator("carillon-bell").get_by_role("button").first
        expect(badge).to_contain_text("2")
        self.assert_quiet_console()


if __name__ == "__main__":
    unittest.main(verbosity=2)
