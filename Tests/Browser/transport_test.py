"""Browsers that get through by other ways than a WebSocket, and pages of another origin."""

import functools
import http.server
import threading
import unittest

from playwright.sync_api import expect

from harness import ROOT
from inbox_test import BellTest
from proxy import Proxy
from sdk_test import SDKTest


class WithoutWebSocketTest(SDKTest):
    settings = {"STREAM_MAXLEN": "1000"}

    def proxy(self, **options):
        proxy = Proxy(self.hub.url, **options)
        self.addCleanup(proxy.stop)
        return proxy

    def through(self, proxy, user, transport, context=None, **options):
        page = self.connect(self.tab(context or self.context(), origin=proxy.url), user, patienceMs=1500, **options)
        self.assertEqual(page.evaluate("session.status.transport"), transport)
        return page

    def life(self, proxy, user, transport):
        """The same for every way: news, reads both ways, other changes, two tabs with one connection."""
        self.post(user, "before", data={"n": 2**60})
        context = self.context()
        pages = [self.through(proxy, user, transport, context) for _ in range(2)]
        other = self.connect(self.tab(self.context()), user)
        self.assertEqual(other.evaluate("session.status.transport"), "websocket")
        self.post(user, "live")
        for page in (*pages, other):
            self.shows(page, "session.items.length === 2 && session.unreadCount === 2")
        self.assertEqual(pages[1].evaluate("String(session.items[1].data.n)"), str(2**60))
        self.read(pages[1], "before")
        self.eventually(lambda: self.statuses(user)["before"] == "read", "a read of a tab that follows")
        self.read(other, "live")
        for page in (*pages, other):
            self.shows(page, "session.unreadCount === 0 && session.items.every(({ read }) => read)")
        other.evaluate("session.archive(session.items[0])")
        other.evaluate("session.markUnread(session.items[1])")
        for page in pages:
            self.shows(page, "session.items[0].archived && !session.items[1].read && session.unreadCount === 1")
        other.evaluate("session.remove(session.items[0])")
        for page in pages:
            self.shows(page, "session.items.length === 1")
            self.assertEqual([item["message"] for item in self.heard(page, "notification")], ["before", "live"])
            self.assertEqual(len(self.heard(page, "read")), 2)
        return pages

    def resumes(self, pages, user):
        self.hub.server.process.kill()
        self.hub.server.process.wait()
        for page in pages:
            self.shows(page, "session.status.state !== 'live'")
        pages[1].evaluate("() => { session.markRead(session.items[0]) }")
        self.hub.start_server()
        self.post(user, "after")
        for page in pages:
            self.shows(page, "session.items.length === 2 && session.unreadCount === 1")
            self.assertEqual(self.messages(page), ["after", "before"])
            self.assertEqual(len(self.heard(page, "notification")), 3)
        self.eventually(lambda: self.statuses(user)["before"] == "read", "what was read meanwhile")

    def test_sse_where_websockets_are_blocked(self):
        user = (1, "alice")
        proxy = self.proxy()
        pages = self.life(proxy, user, "sse")
        streams = [path for path in proxy.paths if "/api/v1/stream" in path]
        self.assertEqual(len(streams), 1, f"one stream for two tabs: {self.heard(pages[0], 'status')}")
        self.resumes(pages, user)
        self.assertIn("since=", next(path for path in reversed(proxy.paths) if "/api/v1/stream" in path))

    def test_an_event_stream_may_be_silent(self):
        user = (5, "erin")
        proxy = self.proxy()
        page = self.through(proxy, user, "sse")
        # Three times the patience for the first event, by the page's own clock.
        page.evaluate("new Promise((resolve) => setTimeout(resolve, 4500))")
        self.post(user, "late")
        self.shows(page, "session.items.length === 1")
        self.assertEqual(sum("/api/v1/stream" in path for path in proxy.paths), 1)

    def test_long_poll_where_streams_are_buffered(self):
        user = (2, "bob")
        proxy = self.proxy(buffers_streams=True)
        pages = self.life(proxy, user, "poll")
        polls = [path for path in proxy.paths if "wait=25" in path]
        self.assertLess(len(polls), 40, "it waits for answers")
        self.resumes(pages, user)

    def test_retention(self):
        for number, transport in enumerate(("sse", "poll")):
            with self.subTest(transport):
                page = self.through(self.proxy(buffers_streams=transport == "poll"), (30 + number, "carol"), transport)
                page.evaluate("session.setRetention(3)")
                self.assertEqual(page.evaluate("session.retention()"), 3)

    def test_a_refused_user_is_told_by_any_way(self):
        page = self.connect(self.tab(self.context(), origin=self.proxy().url), (1, "not a login"), wait=False)
        self.shows(page, "session.status.state === 'refused'")

    def test_a_stopping_hub_says_when_to_come_back_over_sse_too(self):
        page = self.through(self.proxy(), (4, "dave"), "sse")
        self.hub.server.stop()
        self.shows(page, "log.some(({ type, detail }) => type === 'status' && detail.state === 'waiting')")
        self.hub.start_server()
        self.shows(page, "session.status.state === 'live'")
        self.assertEqual(page.evaluate("session.status.transport"), "sse")


class Site:
    """A web server of somebody else, with the pages of a folder."""

    def __init__(self, folder):
        handler = functools.partial(Quiet, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # By another name than the hub's, so that not only the port differs.
        self.url = f"http://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class OtherOriginTest(BellTest):
    settings = {**BellTest.settings, "FRONTEND_URL": "*"}

    def test_the_bell_in_a_page_of_another_origin(self):
        user = (4, "dave")
        site = Site(self.folder)
        self.addCleanup(site.stop)
        page = self.bell(user, origin=site.url, hub=self.hub.url)
        self.post(user, "from afar", title="Hello")
        expect(self.badge(page)).to_have_text("1")
        self.open(page)
        self.choose(page, "from afar", "Archive")
        page.get_by_role("button", name="Undo").click()
        expect(self.rows(page)).to_have_count(1)
        self.rows(page).locator(".open").click()
        self.eventually(lambda: self.statuses(user)["from afar"] == "read", "the read got through")
        expect(page.locator("carillon-bell .foot")).to_have_text("That is everything")
        self.assert_quiet_console()

    def test_the_example(self):
        site = Site(self.folder)
        self.addCleanup(site.stop)
        example = ROOT.joinpath("examples/bell/index.html").read_text(encoding="utf-8")
        self.folder.joinpath("example.html").write_text(example.replace("http://localhost:8080", self.hub.url), encoding="utf-8")
        page = self.tab(self.context(), "/example.html", site.url)
        self.settled(page, "live")
        page.get_by_role("button", name="Send").click()
        expect(self.badge(page)).to_have_text("1")
        self.open(page)
        self.row(page, "Your order has been shipped").locator(".open").click()
        expect(page.locator("main [role=status]")).to_have_text("Order 7 would open now.")

    def test_sse_and_long_poll_from_another_origin(self):
        site = Site(self.folder)
        self.addCleanup(site.stop)
        for number, (buffers, transport) in enumerate(((False, "sse"), (True, "poll"))):
            with self.subTest(transport):
                user = (2 + number, "bob")
                proxy = Proxy(self.hub.url, buffers_streams=buffers)
                self.addCleanup(proxy.stop)
                page = self.bell(user, origin=site.url, url=proxy.url)
                session = "document.querySelector('carillon-bell').session"
                self.assertEqual(page.evaluate(f"{session}.status.transport"), transport)
                self.post(user, "one")
                expect(self.badge(page)).to_have_text("1")
                self.open(page)
                self.rows(page).locator(".open").click()
                self.eventually(lambda user=user: self.statuses(user)["one"] == "read", "the read got through")


if __name__ == "__main__":
    unittest.main(verbosity=2)
