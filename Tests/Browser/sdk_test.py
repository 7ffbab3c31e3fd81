"""carillon.js in a real browser against a real server: one session in many tabs, over losses of every kind."""

import json
import pathlib
import re
import signal
import unittest

from browser import BIG_ID, BrowserTest

EVENTS = ["notification", "read", "count", "status", "changed", "cleared", "channels", "problem"]
CONNECT = """async ({ options, events }) => {
  const { connect } = await import("/carillon.js");
  globalThis.log = [];
  globalThis.session = connect(options);
  for (const type of events) session.on(type, (detail) => log.push({ type, detail: structuredClone(detail) }));
  if (options.wait !== false) await session.ready;
}"""


class SDKTest(BrowserTest):
    def connect(self, page, user, **options):
        page.evaluate(CONNECT, {"options": {"user": {"id": user[0], "login": user[1]}, **options}, "events": EVENTS})
        return page

    def messages(self, page):
        return page.evaluate("session.items.map(({ message }) => message)")

    def heard(self, page, kind):
        return page.evaluate("(kind) => log.filter(({ type }) => type === kind).map(({ detail }) => detail)", kind)

    def shows(self, page, condition):
        # Not by wait_for_function, which our content security policy does not let evaluate texts.
        self.eventually(lambda: page.evaluate(condition), condition)

    def read(self, page, message):
        page.evaluate("(text) => { session.markRead(session.items.find(({ message }) => message === text)) }", message)


class UnitTest(SDKTest):
    def test_units(self):
        page = self.tab(self.context())
        for file in ("pieces", "store"):
            source = pathlib.Path(__file__).with_name("units").joinpath(f"{file}.js").read_text(encoding="utf-8")
            names = re.findall(r"^export function (\w+)", source, re.MULTILINE)
            self.assertGreater(len(names), 5)
            for name in names:
                with self.subTest(f"{file}.{name}"):
                    script = "async ({ file, name }) => (await import(`/test/units/${file}.js`))[name]()"
                    page.evaluate(script, {"file": file, "name": name})


class SessionTest(SDKTest):
    settings = {"STREAM_MAXLEN": "1000"}

    def test_life_of_a_notification(self):
        user = (1, "alice")
        self.post(user, "before")
        page = self.connect(self.tab(self.context()), user)
        self.assertEqual([item["replayed"] for item in self.heard(page, "notification")], [True])
        big = '{"order": 12345678901234567890}'
        self.post(user, "live", title="Title", type="t", channel="c", priority="high", source="s", data={"n": 2**60})
        self.shows(page, "session.items.length === 2")
        item = self.heard(page, "notification")[-1]
        self.assertEqual(
            [item[name] for name in ("title", "type", "channel", "priority", "source", "status", "replayed")],
            ["Title", "t", "c", "high", "s", "unread", False],
        )
        self.assertEqual(page.evaluate("String(session.items[0].data.n)"), str(2**60), big)
        self.read(page, "live")
        self.assertEqual(page.evaluate("[session.unreadCount, session.items[0].read]"), [1, True], "at once")
        self.eventually(lambda: self.statuses(user)["live"] == "read", "the hub knows")
        self.shows(page, "!Object.keys(localStorage).length")
        self.assertEqual(len(self.heard(page, "read")), 1, "told once")
        self.assertEqual(self.heard(page, "count")[-2:], [2, 1])
        self.assert_quiet_console()

    def test_two_tabs_and_a_second_browser_stay_in_step(self):
        user = (2, "bob")
        first, second = self.context(), self.context()
        tabs = [self.connect(self.tab(context), user) for context in (first, first, second)]
        self.eventually(lambda: self.devices(user) == 2, "one connection for each browser")
        self.assertEqual([tab.evaluate("session.status.leads") for tab in tabs], [True, False, True])
        for text in ("one", "two", "three"):
            self.post(user, text)
        for tab in tabs:
            self.shows(tab, "session.items.length === 3 && session.unreadCount === 3")
        self.read(tabs[1], "two")
        for tab in tabs:
            self.shows(tab, "session.unreadCount === 2 && session.items[1].read")
            self.assertEqual(self.messages(tab), ["three", "two", "one"])
            self.assertEqual(len(self.heard(tab, "read")), 1)
            self.assertEqual(len(self.heard(tab, "notification")), 3)

    def test_a_tab_that_comes_later_has_everything(self):
        user = (3, "carol")
        context = self.context()
        leader = self.connect(self.tab(context), user)
        for text in ("one", "two"):
            self.post(user, text)
        self.shows(leader, "session.items.length === 2")
        self.read(leader, "one")
        late = self.connect(self.tab(context), user)
        self.assertEqual(late.evaluate("[session.items.length, session.unreadCount, session.items[1].read]"), [2, 1, True])
        self.assertTrue(all(item["replayed"] for item in self.heard(late, "notification")))
        self.assertEqual(self.devices(user), 1)

    def test_a_leader_that_is_closed_or_crashes_is_replaced_without_gap_or_repeat(self):
        user = (4, "dave")
        context = self.context()
        tabs = [self.connect(self.tab(context), user) for _ in range(3)]
        self.post(user, "before")
        for tab in tabs:
            self.shows(tab, "session.items.length === 1")
        tabs[0].close()
        self.post(user, "closed")
        self.shows(tabs[1], "session.items.length === 2")
        self.shows(tabs[1], "session.status.leads && session.status.state === 'live'")
        # The page goes without a word, as one whose process dies.
        tabs[1].goto("about:blank")
        self.post(user, "gone")
        self.shows(tabs[2], "session.items.length === 3 && session.status.leads")
        self.post(user, "after")
        self.shows(tabs[2], "session.items.length === 4 && session.unreadCount === 4")
        self.assertEqual(len(self.heard(tabs[2], "notification")), 4)
        self.assertEqual(self.devices(user), 1)

    def test_a_leader_that_does_not_answer_is_deposed(self):
        user = (5, "erin")
        context = self.context()
        stuck = self.connect(self.tab(context), user)
        # It holds the lock and has lost its tongue.
        stuck.evaluate("BroadcastChannel.prototype.postMessage = () => {}")
        tab = self.connect(self.tab(context), user)
        self.shows(tab, "session.status.leads")
        self.shows(stuck, "!session.status.leads")
        self.post(user, "heard")
        self.shows(tab, "session.items.length === 1")
        self.eventually(lambda: self.devices(user) == 1, "the old connection is let go")

    def test_ids_beyond_a_double(self):
        page = self.tab(self.context())
        user = (BIG_ID, "grace")
        page.evaluate(CONNECT, {"options": {"user": {"id": str(BIG_ID), "login": "grace"}}, "events": EVENTS})
        self.post(user, "big")
        self.shows(page, "session.items.length === 1")
        self.read(page, "big")
        self.eventually(lambda: self.statuses(user)["big"] == "read", "read by that very user")
        self.assertEqual(self.devices(user), 1)
        with self.assertRaisesRegex(Exception, "BigInt or a text"):
            self.connect(page, (BIG_ID, "grace"))
        page.evaluate("async () => (await import('/carillon.js')).connect({ user: { id: 9007199254740993n, login: 'grace' } }).ready")

    def test_a_user_that_the_hub_refuses_is_not_tried_again(self):
        page = self.tab(self.context())
        self.connect(page, (1, "not a login"), wait=False)
        self.shows(page, "session.status.state === 'refused'")
        problem = page.evaluate("session.status.problem")
        self.assertEqual((problem["status"], problem["code"]), (400, "invalid_parameter"))
        self.assertIn("login", problem["detail"])
        self.assertEqual(page.evaluate("session.ready.catch(({ message }) => message)"), problem["detail"])
        with self.assertRaisesRegex(Exception, "needs a user"):
            page.evaluate("async () => (await import('/carillon.js')).connect({})")

    def test_many_reads_go_in_few_frames(self):
        user = (6, "frank")
        page = self.tab(self.context())
        frames = []
        page.on("websocket", lambda socket: socket.on("framesent", lambda text: frames.append(json.loads(text))))
        for number in range(101):
            self.post(user, str(number))
        self.connect(page, user)
        self.assertEqual(page.evaluate("session.unreadCount"), 101, "the replay has all that is unread")
        page.evaluate("Promise.all(session.items.map((item) => session.markRead(item)))")
        self.assertEqual([len(frame["data"]) for frame in frames], [100, 1])
        self.assertEqual(page.evaluate("session.unreadCount"), 0)

    def test_retention(self):
        user = (7, "heidi")
        context = self.context()
        pages = [self.connect(self.tab(context), user) for _ in range(2)]
        self.assertEqual(pages[0].evaluate("session.retention()"), 15)
        for page, days in zip(pages, (3, 4), strict=True):
            page.evaluate("(days) => session.setRetention(days)", days)
            self.assertEqual(pages[0].evaluate("session.retention()"), days)
        for days in (0, 16, "4"):
            with self.assertRaisesRegex(Exception, "must be an integer from 1 to 15"):
                pages[1].evaluate("(days) => session.setRetention(days)", days)
        self.assertEqual(pages[1].evaluate("session.retention()"), 4)

    def test_a_hidden_browser_lets_go_and_comes_back(self):
        user = (8, "ivan")
        context = self.context()
        tabs = [self.connect(self.tab(context), user, pauseHiddenMs=50) for _ in range(2)]
        hide = """(state) => {
          Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
        tabs[0].evaluate(hide, "hidden")
        self.post(user, "heard behind")
        self.shows(tabs[0], "session.items.length === 1")
        self.assertEqual(tabs[0].evaluate("session.status.state"), "live", "another tab is looked at")
        tabs[1].evaluate(hide, "hidden")
        for tab in tabs:
            self.shows(tab, "session.status.state === 'paused'")
        self.eventually(lambda: self.devices(user) == 0, "the connection is let go")
        self.post(user, "missed")
        tabs[1].evaluate(hide, "visible")
        for tab in tabs:
            self.shows(tab, "session.items.length === 2 && session.status.state === 'live'")
        self.assertEqual(len(self.heard(tabs[1], "notification")), 2)


class LossTest(SDKTest):
    """Each test has a hub of its own, which it harms."""

    def setUp(self):
        super().setUp()
        if not self.hub.server.process.poll() is None:
            self.hub.start_server()

    def kill(self):
        self.hub.server.process.send_signal(signal.SIGKILL)
        self.hub.server.process.wait()

    def test_a_hub_that_is_killed_and_comes_back_loses_and_doubles_nothing(self):
        user = (1, "alice")
        context = self.context()
        tabs = [self.connect(self.tab(context), user) for _ in range(2)]
        other = self.connect(self.tab(self.context()), user)
        expected = []
        for round_number in range(3):
            expected.append(f"before {round_number}")
            self.post(user, expected[-1])
            for tab in (*tabs, other):
                self.shows(tab, f"session.items.length === {len(expected)}")
            self.kill()
            for tab in tabs:
                self.shows(tab, "session.status.state === 'waiting'")
            self.hub.start_server()
            expected.append(f"after {round_number}")
            self.post(user, expected[-1])
            for tab in (*tabs, other):
                self.shows(tab, f"session.items.length === {len(expected)} && session.status.state === 'live'")
        for tab in (*tabs, other):
            self.assertEqual(self.messages(tab), expected[::-1])
            heard = self.heard(tab, "notification")
            self.assertEqual([item["message"] for item in heard], expected)
            self.assertFalse(any(item["replayed"] for item in heard), "what was missed is news")
            self.assertEqual(tab.evaluate("session.unreadCount"), len(expected))

    def test_what_is_read_while_the_hub_is_away_is_said_when_it_is_back(self):
        user = (2, "bob")
        context = self.context()
        leader, follower = (self.connect(self.tab(context), user) for _ in range(2))
        for text in ("one", "two", "three"):
            self.post(user, text)
        self.shows(follower, "session.items.length === 3")
        self.kill()
        self.shows(follower, "session.status.state === 'waiting'")
        self.read(follower, "one")
        self.read(leader, "two")
        for tab in (leader, follower):
            self.shows(tab, "session.unreadCount === 1")
        # Both tabs go, and with them all that was in memory.
        leader.close()
        follower.close()
        self.hub.start_server()
        self.assertEqual(self.statuses(user)["one"], "unread")
        page = self.connect(self.tab(context), user)
        self.eventually(lambda: self.statuses(user) == {"one": "read", "two": "read", "three": "unread"}, "both reads")
        self.shows(page, "session.unreadCount === 1 && !Object.keys(localStorage).length")

    def test_a_hub_that_stops_says_when_to_come_back(self):
        user = (3, "carol")
        page = self.connect(self.tab(self.context()), user)
        self.hub.server.stop()
        self.shows(page, "log.some(({ type, detail }) => type === 'status' && detail.code === 1001)")
        waiting = page.evaluate("log.find(({ detail }) => detail.code === 1001).detail")
        self.assertRegex(waiting["reason"], r"come back in \d+ ms")
        self.hub.start_server()
        self.shows(page, "session.status.state === 'live'")

    def test_closes_and_garbage(self):
        """A hub that says strange things is played by the test."""
        user = (4, "dave")
        page = self.tab(self.context())
        sockets = []
        page.route_web_socket(re.compile("/ws"), lambda socket: sockets.append(socket))
        self.connect(page, user, wait=False)
        frames = {
            "push": {"notification_id": "a", "stream_id": "5-0", "message": "first", "status": "unread", "read": False},
            "ready": {"unread_count": 1, "last_stream_id": "5-0", "epoch": "e", "protocol": 1},
        }

        def say(socket, kind, data):
            socket.send(json.dumps({"type": kind, "data": data}))

        def next_socket(number):
            # Routes are called while playwright waits for something.
            self.eventually(lambda: page.evaluate("1") and len(sockets) >= number, f"connection {number}", 30)
            return sockets[number - 1]

        socket = next_socket(1)
        self.assertNotIn("since=", socket.url)
        say(socket, "notification.push", frames["push"])
        say(socket, "session.ready", frames["ready"])
        self.shows(page, "session.unreadCount === 1")
        for garbage in ("{", "[]", "null", '{"type":5}', '{"type":"notification.push","data":{}}', '{"type":"notification.push"}'):
            socket.send(garbage)
        say(socket, "something.new", {"to": "ignore"})
        self.shows(page, "log.filter(({ type }) => type === 'problem').length === 6")
        self.assertEqual({problem["code"] for problem in self.heard(page, "problem")}, {"malformed_frame"})
        self.assertEqual(page.evaluate("[session.items.length, session.status.state]"), [1, "live"])

        socket.close(code=1001, reason="going away; come back in 7 ms")
        socket = next_socket(2)
        self.assertIn("since=5-0&epoch=e", socket.url)
        page.evaluate("() => { session.markRead('a') }")
        # The connection breaks in the middle of a replay: that one does not count.
        say(socket, "notification.push", {**frames["push"], "notification_id": "b", "stream_id": "6-0"})
        self.shows(page, "session.items.length === 2")
        socket.close(code=1013, reason="too slow")
        socket = next_socket(3)
        self.assertIn("since=5-0&epoch=e", socket.url)

        socket.close(code=1012, reason="resync needed")
        self.shows(page, "session.items.length === 0 && session.unreadCount === 0")
        socket = next_socket(4)
        self.assertNotIn("since=", socket.url)
        self.assertEqual(page.evaluate("Object.keys(localStorage).length"), 0, "the read named what is void")
        socket.close(code=4429, reason="too many messages")
        self.shows(page, "session.status.code === 4429")
        self.assertGreaterEqual(page.evaluate("session.status.retryAt - Date.now()"), 25_000)
        page.evaluate("session.retry()")
        next_socket(5).close(code=1009, reason="message is too long")
        self.shows(page, "session.status.state === 'refused'")


if __name__ == "__main__":
    unittest.main(verbosity=2)
