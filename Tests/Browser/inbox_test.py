"""<carillon-bell> in a real browser against a real server: what is seen, what keys do, what a screen reader is told."""

import datetime
import unittest
import urllib.parse

from playwright.sync_api import expect

from browser import BIG_ID, SCREENSHOTS, BrowserTest
from contrast import LEAST_RATIO, ratios
from harness import ROOT

SHEET_WIDTH = 390
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b>"


class BellTest(BrowserTest):
    settings = {"STREAM_MAXLEN": "1000", "NOTIFICATION_TTL": "15d"}

    def bell(self, user, context=None, origin=None, **query):
        query = {"user-id": user[0], "login": user[1], **query}
        page = self.tab(context or self.context(), f"/test/pages/bell.html?{urllib.parse.urlencode(query)}", origin)
        self.settled(page, "live")
        return page

    def settled(self, page, state):
        find = "document.querySelector('carillon-bell').session?.status.state"
        self.eventually(lambda: page.evaluate(find) == state, f"the bell is {state}")

    def button(self, page):
        return page.locator("carillon-bell button.bell")

    def badge(self, page):
        return page.locator("carillon-bell .badge")

    def open(self, page):
        self.button(page).click()
        expect(page.get_by_role("dialog", name="Notifications")).to_be_visible()

    def rows(self, page):
        return page.locator("carillon-bell .row")

    def row(self, page, text):
        return self.rows(page).filter(has_text=text)

    def choose(self, page, text, choice):
        self.row(page, text).get_by_role("button", name="More for").click()
        page.get_by_role("menuitem", name=choice).click()

    def focused(self, page):
        """The name by which the focused element is announced, or its text."""
        return page.evaluate("""() => {
          let node = document.activeElement;
          while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
          return node?.getAttribute("aria-label") ?? node?.textContent ?? "";
        }""")

    def picture(self, page, name):
        page.evaluate("""() => {
          const all = document.querySelector("carillon-bell").shadowRoot.getAnimations();
          return Promise.all(all.filter(({ effect }) => effect.getTiming().iterations < 9).map(({ finished }) => finished));
        }""")
        page.screenshot(path=SCREENSHOTS / f"bell-{name}.png")

    def seed(self, user):
        """What a user might have, oldest first."""
        now = datetime.datetime.now(datetime.UTC)
        for hours, title, message, fields in (
            (200, "Invoice 2026-10", "Your invoice for October is ready.", {"source": "Billing"}),
            (26, None, "Scheduled maintenance tonight from 23:00 to 23:15 UTC.", {"source": "Platform", "priority": "high"}),
            (9, "Backup finished", "Backup of eu-west finished in 14 minutes.", {"source": "Backup", "channel": "ops"}),
            (2, "Disk almost full", "Disk usage on db-3 passed 90 %.", {"source": "Monitor", "channel": "ops", "priority": "urgent"}),
            (0.5, "Order 1047 has been shipped", "Left the warehouse in Lyon.", {"source": "Shop", "channel": "orders"}),
        ):
            fields = {**fields, **({"title": title} if title else {})}
            self.post(user, message, created_at=(now - datetime.timedelta(hours=hours)).isoformat(), **fields)


class LifeTest(BellTest):
    def test_rings_lists_and_reads(self):
        user = (1, "alice")
        page = self.bell(user)
        expect(self.button(page)).to_have_accessible_name("Notifications")
        expect(self.badge(page)).to_be_hidden()
        self.post(user, "Left the warehouse", title="Order 7", source="Shop", data={"order": 7})
        expect(self.badge(page)).to_have_text("1")
        expect(self.button(page)).to_have_accessible_name("Notifications, 1 unread")
        self.open(page)
        expect(page.locator("carillon-bell .day")).to_have_text(["Today"])
        expect(self.rows(page).locator("time")).to_have_text("now")
        self.post(user, "while it is open")
        expect(self.rows(page)).to_have_count(2)
        expect(self.rows(page).first).to_contain_text("while it is open")
        expect(page.locator("carillon-bell [aria-live=polite]")).to_have_text("New notification: while it is open")
        self.row(page, "Order 7").locator(".open").click()
        expect(self.badge(page)).to_have_text("1")
        self.assertEqual(page.evaluate("selected.map(({ title }) => title)"), ["Order 7"])
        self.eventually(lambda: self.statuses(user)["Left the warehouse"] == "read", "the hub knows")
        page.get_by_role("button", name="Mark all read").click()
        expect(self.badge(page)).to_be_hidden()
        self.eventually(lambda: set(self.statuses(user).values()) == {"read"}, "all are read")
        self.assert_quiet_console()

    def test_two_tabs_and_a_second_browser_show_the_same(self):
        user = (2, "bob")
        first, second = self.context(), self.context()
        pages = [self.bell(user, context) for context in (first, first, second)]
        for text in ("one", "two", "three"):
            self.post(user, text)
        for page in pages:
            expect(self.badge(page)).to_have_text("3")
            self.open(page)
            expect(self.rows(page).locator(".message")).to_have_text(["three", "two", "one"])
        self.row(pages[0], "two").locator(".open").click()
        self.choose(pages[1], "one", "Archive")
        for page in pages:
            expect(self.badge(page)).to_have_text("1")
            expect(self.rows(page).locator(".message")).to_have_text(["three", "two"])
            expect(page.locator("carillon-bell .row.unread")).to_have_count(1)
        self.choose(pages[2], "three", "Remove for good")
        for page in pages:
            expect(self.badge(page)).to_be_hidden()
            expect(self.rows(page).locator(".message")).to_have_text(["two"])
        self.assertNotIn("three", self.statuses(user))

    def test_archive_snooze_and_their_undo(self):
        user = (3, "carol")
        page = self.bell(user)
        for text in ("one", "two"):
            self.post(user, text)
        self.open(page)
        self.choose(page, "one", "Archive")
        expect(self.rows(page)).to_have_count(1)
        page.get_by_role("button", name="Undo").click()
        expect(self.rows(page)).to_have_count(2)
        expect(self.badge(page)).to_have_text("2")
        self.choose(page, "one", "Archive")
        self.choose(page, "two", "In three hours")
        expect(self.badge(page)).to_be_hidden()
        expect(page.locator("carillon-bell .blank")).to_contain_text("You are all caught up")
        page.get_by_role("tab", name="Archived").click()
        expect(self.rows(page)).to_have_count(2)
        expect(self.row(page, "two").locator(".note")).to_contain_text("Snoozed until")
        listed = self.asked("/api/v1/notifications", user, archived="true")["notifications"]
        self.assertEqual([item["message"] for item in listed], ["one"])
        # A page that comes later is told by the hub.
        later = self.bell(user)
        self.open(later)
        expect(self.rows(later)).to_have_count(0)
        later.get_by_role("tab", name="Archived").click()
        expect(self.rows(later)).to_have_count(2)
        self.choose(later, "one", "Move back to the list")
        self.choose(later, "two", "End the snooze")
        expect(self.badge(page)).to_have_text("2")
        self.choose_unread_again(later, user)

    def choose_unread_again(self, page, user):
        page.get_by_role("tab", name="All").click()
        self.choose(page, "one", "Mark as read")
        expect(self.badge(page)).to_have_text("1")
        page.get_by_role("tab", name="Unread").click()
        expect(self.rows(page).locator(".message")).to_have_text(["two"])
        page.get_by_role("tab", name="All").click()
        self.choose(page, "one", "Mark as unread")
        expect(self.badge(page)).to_have_text("2")
        self.eventually(lambda: self.statuses(user)["one"] == "unread", "the hub knows")

    def test_markup_is_text_and_only_web_links_are_followed(self):
        user = (4, "mallory")
        page = self.bell(user)
        self.post(user, MARKUP, title=MARKUP, source=MARKUP, type=MARKUP, channel="<i>", data={"url": "javascript:alert(3)"})
        self.open(page)
        row = self.rows(page)
        expect(row.locator(".message")).to_have_text(MARKUP)
        expect(row.locator(".title")).to_have_text(MARKUP)
        expect(row.locator("img, script, b, i")).to_have_count(0)
        row.locator(".open").click()
        self.assertEqual(len(page.context.pages), 1)
        self.assertIn("/test/pages/bell.html", page.url)
        self.post(user, "follow", data={"url": "/test/pages/blank.html"})
        self.row(page, "follow").locator(".open").click()
        page.wait_for_url("**/blank.html")
        self.eventually(lambda: self.statuses(user)["follow"] == "read", "read although the page went away")
        self.assert_quiet_console()

    def test_a_select_that_is_cancelled_does_nothing(self):
        user = (5, "erin")
        page = self.bell(user, cancel=1)
        self.post(user, "mine", data={"url": "/test/pages/blank.html", "big": 2**60})
        self.open(page)
        self.rows(page).locator(".open").click()
        self.assertEqual(page.evaluate("String(selected[0].data.big)"), str(2**60))
        expect(self.badge(page)).to_have_text("1")
        self.assertIn("bell.html", page.url)

    def test_more_than_99_and_an_id_beyond_a_double(self):
        user = (BIG_ID, "grace")
        page = self.bell(user)
        for number in range(99):
            self.post(user, str(number))
        expect(self.badge(page)).to_have_text("99")
        self.post(user, "one more")
        expect(self.badge(page)).to_have_text("99+")
        expect(self.button(page)).to_have_accessible_name("Notifications, 100 unread")

    def test_relative_times_keep_going(self):
        user = (6, "frank")
        context = self.context()
        page = context.new_page()
        page.clock.install()
        self.post(user, "young")
        page.goto(f"{self.hub.url}/test/pages/bell.html?user-id=6&login=frank")
        self.settled(page, "live")
        self.open(page)
        expect(self.rows(page).locator("time")).to_have_text("now")
        page.clock.run_for(5 * 60_000 + 20_000)
        expect(self.rows(page).locator("time")).to_have_text("5m ago")
        page.clock.run_for(24 * 3_600_000)
        expect(page.locator("carillon-bell .day")).to_have_text(["Yesterday"])


class ThousandTest(BellTest):
    def test_a_thousand_scroll_smoothly(self):
        user = (1, "alice")
        for number in range(1000):
            self.post(user, f"notification {number}", title=f"Title {number}")
        # The oldest ones are read, so that the replay leaves them to the list.
        oldest = self.asked("/api/v1/notifications", user, limit=100, offset=900)["notifications"]
        for item in oldest[:50]:
            self.asked(f"/api/v1/notifications/{item['id']}/read", user, "PUT")
        page = self.bell(user)
        expect(self.badge(page)).to_have_text("99+")
        self.open(page)
        expect(self.rows(page).first).to_contain_text("notification 999")
        self.assertLessEqual(self.rows(page).count(), 80, "rows are made as one scrolls")
        # Down to the end, a screen at a time, with the time of each frame.
        frames = page.evaluate("""async () => {
          const root = document.querySelector("carillon-bell").shadowRoot;
          const scroll = root.querySelector(".scroll");
          const frame = () => new Promise(requestAnimationFrame);
          const times = [];
          const start = performance.now();
          let last = start;
          const isAtEnd = () => scroll.scrollTop + scroll.clientHeight > scroll.scrollHeight - 2;
          const isOver = () => isAtEnd() && root.querySelector(".foot").textContent === "That is everything";
          while (!isOver() && last - start < 60_000) {
            scroll.scrollTop += 400;
            await frame();
            const now = performance.now();
            times.push(now - last);
            last = now;
          }
          return times;
        }""")
        self.eventually(lambda: self.rows(page).count() == 1000, "every one can be reached")
        expect(self.rows(page).last).to_contain_text("notification 0")
        expect(page.locator("carillon-bell .foot")).to_have_text("That is everything")
        long_frames = [time for time in frames if time > 100]
        print(f"scrolling a thousand: {len(frames)} frames, {len(long_frames)} above 100 ms, longest {max(frames):.0f} ms")
        self.assertLess(len(long_frames), len(frames) / 10)
        laid_out = page.evaluate("""() => {
          const rows = [...document.querySelector("carillon-bell").shadowRoot.querySelectorAll(".row .open")];
          return rows.filter((row) => row.checkVisibility({ contentVisibilityAuto: true })).length;
        }""")
        self.assertLess(laid_out, 100, "what is far from the edge is not laid out")
        self.post(user, "on top")
        # Not its inner text: it is far from the edge, so nothing of it is rendered.
        self.eventually(lambda: "on top" in self.rows(page).first.text_content(), "live while scrolled down")


class StateTest(BellTest):
    def test_every_state_in_every_form(self):
        user, nobody = (1, "alice"), (2, "nobody")
        self.seed(user)
        for width in (1280, SHEET_WIDTH):
            for scheme in ("light", "dark"):
                with self.subTest(width=width, scheme=scheme):
                    self.look(user, nobody, width, scheme)
        print(f"screenshots: {SCREENSHOTS}")

    def look(self, user, nobody, width, scheme):
        options = {"color_scheme": scheme, "has_touch": width == SHEET_WIDTH, "is_mobile": width == SHEET_WIDTH}
        context = self.context(width, 780, **options)
        name = f"{width}-{scheme}"
        page = self.bell(user, context)
        expect(self.badge(page)).to_have_text("5")
        self.picture(page, f"closed-{name}")
        self.open(page)
        expect(self.rows(page)).to_have_count(5)
        self.picture(page, f"list-{name}")
        self.assert_readable(page)
        panel = page.get_by_role("dialog", name="Notifications").bounding_box()
        if width == SHEET_WIDTH:
            self.assertEqual((panel["x"], panel["width"]), (0, SHEET_WIDTH), "a sheet")
            self.assertAlmostEqual(panel["y"] + panel["height"], 780, delta=1)
        else:
            bell = self.button(page).bounding_box()
            self.assertAlmostEqual(panel["x"] + panel["width"], bell["x"] + bell["width"], delta=1)
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width, "nothing scrolls sideways")
        self.row(page, "Order 1047").get_by_role("button", name="More for").click()
        self.picture(page, f"menu-{name}")
        self.assert_readable(page)
        page.keyboard.press("Escape")
        page.evaluate("document.querySelector('carillon-bell').session.close()")
        page.close()
        page = self.bell(nobody, context)
        self.open(page)
        expect(page.locator("carillon-bell .blank")).to_contain_text("You are all caught up")
        self.picture(page, f"empty-{name}")
        self.assert_readable(page)
        page.close()
        page = self.tab(context, "/test/pages/bell.html?user-id=1&login=not%20one")
        self.settled(page, "refused")
        self.open(page)
        expect(page.locator("carillon-bell .blank")).to_contain_text("a login is")
        self.picture(page, f"refused-{name}")
        self.assert_readable(page)
        page.close()
        page = self.tab(context, "/test/pages/bell.html?user-id=1&login=alice&url=http://127.0.0.1:1/")
        self.open(page)
        expect(page.get_by_label("Loading notifications")).to_be_visible()
        self.picture(page, f"loading-{name}")
        page.close()
        page = self.tab(context, "/test/pages/bell.html")
        self.open(page)
        expect(page.locator("carillon-bell .blank")).to_contain_text("has not said whose")

    def assert_readable(self, page):
        """Every text that is seen has the contrast that WCAG 2 asks for at level AA."""
        found = ratios(page)
        self.assertGreater(len(found), 3)
        self.assertEqual([text for text in found if text["ratio"] < LEAST_RATIO and not text["disabled"]], [])

    def test_a_theme_wins_over_the_readers_choice(self):
        colours = {}
        for scheme in ("light", "dark"):
            for theme in ("light", "dark"):
                page = self.bell((2, "nobody"), self.context(color_scheme=scheme), theme=theme)
                self.open(page)
                panel = page.locator("carillon-bell .panel")
                colours[scheme, theme] = panel.evaluate("(node) => getComputedStyle(node).backgroundColor")
        self.assertEqual(colours["light", "dark"], colours["dark", "dark"])
        self.assertEqual(colours["dark", "light"], colours["light", "light"])
        self.assertNotEqual(colours["dark", "light"], colours["dark", "dark"])

    def test_right_to_left(self):
        user = (3, "rtl")
        self.post(user, "text", title="title")
        page = self.bell(user, dir="rtl")
        self.open(page)
        panel, bell = page.get_by_role("dialog").bounding_box(), self.button(page).bounding_box()
        self.assertAlmostEqual(panel["x"], bell["x"], delta=1)
        tile, text = self.rows(page).locator(".tile").bounding_box(), self.rows(page).locator(".title").bounding_box()
        self.assertGreater(tile["x"], text["x"])
        self.picture(page, "rtl")

    def test_reduced_motion(self):
        page = self.bell((4, "still"), self.context(reduced_motion="reduce"))
        self.open(page)
        self.post((4, "still"), "x")
        expect(self.badge(page)).to_have_text("1")
        running = "document.querySelector('carillon-bell').shadowRoot.getAnimations().length"
        self.assertEqual(page.evaluate(running), 0)


class LossTest(BellTest):
    def test_offline_is_shown_and_nothing_is_lost_or_doubled_on_screen(self):
        for user, scheme, width in (((1, "alice"), "light", SHEET_WIDTH), ((2, "bob"), "dark", 1280)):
            page = self.bell(user, self.context(width, 780, color_scheme=scheme))
            self.post(user, f"before {scheme}")
            self.open(page)
            expect(self.row(page, f"before {scheme}")).to_have_count(1)
            count = self.rows(page).count()
            self.hub.server.process.kill()
            self.hub.server.process.wait()
            expect(page.locator("carillon-bell .banner")).to_contain_text("No connection", timeout=10_000)
            expect(self.button(page)).to_have_accessible_name(f"Notifications, {count} unread, no connection")
            expect(self.rows(page)).to_have_count(count)
            self.picture(page, f"offline-{width}-{scheme}")
            self.row(page, f"before {scheme}").locator(".open").click()
            self.hub.start_server()
            self.post(user, f"after {scheme}")
            page.get_by_role("button", name="Try now").click()
            expect(page.locator("carillon-bell .banner")).to_be_hidden(timeout=25_000)
            expect(self.rows(page)).to_have_count(count + 1)
            expect(self.rows(page).first).to_contain_text(f"after {scheme}")
            self.eventually(lambda: self.statuses(user)[f"before {scheme}"] == "read", "the read got through")
            self.eventually(lambda: self.badge(page).inner_text() == "1", "the count fits")
            page.context.close()


class KeyboardTest(BellTest):
    def test_everything_works_without_a_mouse(self):
        user = (1, "alice")
        for text in ("one", "two", "three", "four"):
            self.post(user, text, title=f"Title {text}")
        page = self.bell(user)
        press = page.keyboard.press
        page.locator("a").focus()
        press("Tab")
        self.assertEqual(self.focused(page), "Notifications, 4 unread")
        press("Enter")
        dialog = page.get_by_role("dialog", name="Notifications")
        expect(dialog).to_be_visible()
        self.assertEqual(self.focused(page), "Notifications", "the dialog itself")
        order = []
        for _ in range(5):
            press("Tab")
            order.append(self.focused(page).strip())
        self.assertEqual(order[:2], ["Mark all read", "All"])
        self.assertTrue(order[2].startswith("Unread. Title four"), order)
        self.assertEqual(order[3:], ["Mark as read", "More for Title four"])
        press("ArrowDown")
        self.assertIn("Title three", self.focused(page))
        press("End")
        self.assertIn("Title one", self.focused(page))
        press("ArrowDown")
        self.assertIn("Title one", self.focused(page), "it stops at the end")
        press("Home")
        self.assertIn("Title four", self.focused(page))
        press("ArrowDown")
        press("Shift+F10")
        menu = page.get_by_role("menu")
        expect(menu).to_be_visible()
        self.assertEqual(self.focused(page), "Mark as read")
        press("ArrowDown")
        self.assertEqual(self.focused(page), "Archive")
        press("End")
        self.assertEqual(self.focused(page), "Remove for good")
        press("Escape")
        expect(menu).to_be_hidden()
        expect(dialog).to_be_visible()
        # Browsers say that a popover has closed a moment after it has.
        self.eventually(lambda: self.focused(page) == "More for Title three", "the focus returns")
        press("Enter")
        press("ArrowDown")
        press("Enter")
        expect(self.row(page, "three")).to_have_count(0)
        self.eventually(lambda: "Title two" in self.focused(page), "its neighbour has the focus now")
        press("Enter")
        expect(self.row(page, "two")).not_to_have_class("unread")
        press("Escape")
        expect(dialog).to_be_hidden()
        self.eventually(lambda: self.focused(page) == "Notifications, 2 unread", "the focus returns to the bell")
        press("Tab")
        self.assertEqual(self.focused(page), "Help", "nothing of a closed panel is on the way")

    def test_views_are_tabs(self):
        user = (2, "bob")
        self.post(user, "one")
        page = self.bell(user)
        self.open(page)
        page.get_by_role("tab", name="All").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Unread")).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel", name="Unread")).to_be_visible()
        page.keyboard.press("End")
        expect(page.get_by_role("tabpanel", name="Archived")).to_be_visible()
        expect(page.locator("carillon-bell .blank")).to_contain_text("Nothing put away")

    def test_what_a_screen_reader_is_told(self):
        user = (3, "carol")
        self.post(user, "text", title="Title", source="Shop", priority="urgent")
        page = self.bell(user)
        expect(self.button(page)).to_have_attribute("aria-expanded", "false")
        self.open(page)
        expect(self.button(page)).to_have_attribute("aria-expanded", "true")
        expect(page.get_by_role("dialog", name="Notifications")).to_match_aria_snapshot("""
          - dialog "Notifications":
            - heading "Notifications" [level=2]
            - button "Mark all read"
            - tablist "Which notifications":
              - tab "All" [selected]
              - tab "Unread"
              - tab "Archived"
            - tabpanel "All":
              - group "Notifications, newest first":
                - heading "Today" [level=3]
                - list:
                  - listitem:
                    - button /Unread. Title text Urgent Shop/
                    - time: now
                    - button "Mark as read"
                    - button "More for Title"
        """)
        nameless = page.evaluate("""() => {
          const root = document.querySelector("carillon-bell").shadowRoot;
          return [...root.querySelectorAll("button")].filter((node) => !(node.getAttribute("aria-label") ?? node.textContent).trim()).length;
        }""")
        self.assertEqual(nameless, 0)
        self.assert_quiet_console()


class ExampleTest(BellTest):
    def test_plain_javascript(self):
        user = (1, "alice")
        page = self.context().new_page()
        address = ROOT.joinpath("examples/plain/index.html").as_uri()
        page.goto(f"{address}?hub={self.hub.url.replace('http', 'ws')}")
        expect(page.get_by_role("status")).to_contain_text("Connected")
        self.post(user, MARKUP)
        row = page.get_by_role("listitem")
        expect(row).to_have_text(MARKUP)
        row.click()
        expect(row).not_to_have_class("unread")
        self.eventually(lambda: self.statuses(user)[MARKUP] == "read", "the hub knows")


if __name__ == "__main__":
    unittest.main(verbosity=2)
