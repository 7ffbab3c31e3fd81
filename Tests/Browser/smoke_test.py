"""The page at `/` in a real browser against a real server: the life of a notification, and what a user of the page meets."""

import unittest

from playwright.sync_api import expect, sync_playwright

from harness import Hub
from page_case import PUSH_MS, SCREENSHOTS, PageCase, launch

# One above the largest integer that a double holds exactly.
BIG_ID = 9_007_199_254_740_993


class PageTest(PageCase):
    def test_life_of_a_notification(self):
        page = self.page
        self.connect(1, "alice")
        expect(page.locator("#clients-list .row").filter(has_text="1-alice")).to_have_count(1)

        self.fill_user("send", 1, "alice")
        self.send(
            "Your order has been shipped",
            title="On its way",
            type="order.shipped",
            source="order-service",
            priority="high",
            data='{"order": 12345678901234567890, "express": true}',
        )
        card = self.device_card("Your order has been shipped")
        expect(card.locator(".badge")).to_have_text("UNREAD", timeout=PUSH_MS)
        expect(card).to_contain_text("On its way")
        expect(card).to_contain_text("high")
        card.locator("summary").click()
        expect(card.locator("pre")).to_contain_text('"order": 12345678901234567890')
        expect(page.locator("#send-result")).to_contain_text("Stored for 1 user")
        pending = page.locator("#pending-list .card").filter(has_text="Your order has been shipped")
        expect(pending).to_contain_text("1-alice")
        self.picture("unread")

        card.get_by_role("button", name="Mark read").click()
        expect(card.locator(".badge")).to_have_text("READ", timeout=PUSH_MS)
        expect(card.get_by_role("button", name="Mark read")).to_have_count(0)
        expect(pending).to_have_count(0)
        self.show_history(1, "alice")
        expect(page.locator("#history-list .card").filter(has_text="Your order has been shipped").locator(".badge")).to_have_text("READ")
        expect(page.locator("[data-name=notifications_sent_total] .foot")).to_contain_text("in all")
        self.picture("read")
        self.assert_quiet_console()

    def test_markup_in_a_message_is_text(self):
        markup = "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b>"
        self.connect(2, "mallory")
        self.fill_user("send", 2, "mallory")
        self.send(markup, title="<i>title</i>", source="<u>source</u>", type="<s>type</s>", data='{"<b>": "</pre><img src=x>"}')
        expect(self.device_card(markup).locator(".badge")).to_have_text("UNREAD", timeout=PUSH_MS)
        expect(self.page.locator("#pending-list .message").filter(has_text=markup)).to_have_count(1)
        self.show_history(2, "mallory")
        expect(self.page.locator("#history-list .message").filter(has_text=markup)).to_have_count(1)
        for foreign in ("main img", "main script", "main b", "main i", "main u", "main s"):
            expect(self.page.locator(foreign)).to_have_count(0)
        self.picture("markup")
        self.assert_quiet_console()

    def test_an_id_beyond_a_double_is_not_rounded(self):
        page = self.page
        self.connect(BIG_ID, "grace")
        row = page.locator("#clients-list .row").filter(has_text=f"{BIG_ID}-grace")
        expect(row).to_have_count(1)

        row.get_by_role("checkbox").check()
        page.locator("#send [value=selected]").check()
        self.send("to a selected client")
        expect(self.device_card("to a selected client")).to_have_count(1, timeout=PUSH_MS)
        expect(page.locator("#send-result")).to_contain_text(f"{BIG_ID}-grace")

        page.locator("#send [value=all]").check()
        self.send("to everybody")
        expect(self.device_card("to everybody")).to_have_count(1, timeout=PUSH_MS)

        row.get_by_role("button").click()
        page.locator("#send [value=one]").check()
        expect(page.locator("#send [name=id]")).to_have_value(str(BIG_ID))
        self.send("to one user")
        expect(self.device_card("to one user")).to_have_count(1, timeout=PUSH_MS)
        self.show_history(BIG_ID, "grace")
        expect(page.locator("#history-list .card")).to_have_count(3)
        history = self.server_answer("/api/v1/admin/history", user_id=BIG_ID, login="grace")
        self.assertEqual({message["payload"]["target"]["id"] for message in history["messages"]}, {BIG_ID})
        self.picture("big-id")
        self.assert_quiet_console()

    def test_refusals_are_shown(self):
        page = self.page
        self.fill_user("send", "1", "not a login")
        self.send("refused")
        expect(page.locator("#login-error")).to_contain_text("a login is 1 to 64")
        expect(page.locator("#send [name=login]")).to_be_focused()
        self.fill_user("send", 1, "alice")
        expect(page.locator("#login-error")).to_have_count(0)
        self.send("refused", data="[1]")
        expect(page.locator("#data-error")).to_be_visible()
        page.locator("#send [name=data]").fill("")
        page.locator("#send [value=selected]").check()
        self.send("refused")
        expect(page.locator("#send-result .problem")).to_contain_text("select clients in the list first")

        self.fill_user("device", "nobody", "alice")
        page.locator("#device-open").click()
        expect(page.locator("#device-problem .problem")).to_contain_text("user_id")
        expect(page.locator("#device-state")).to_have_text("Not connected.")
        self.picture("refused")

    def test_two_devices_share_what_is_read(self):
        self.connect(3, "bob")
        first, self.page = self.page, self.open_page()
        self.connect(3, "bob")
        self.fill_user("send", 3, "bob")
        self.send("for both")
        both = [page.locator("#device-list .card").filter(has_text="for both") for page in (first, self.page)]
        for card in both:
            expect(card.locator(".badge")).to_have_text("UNREAD", timeout=PUSH_MS)
        both[0].get_by_role("button", name="Mark read").click()
        for card in both:
            expect(card.locator(".badge")).to_have_text("READ", timeout=PUSH_MS)
        self.assert_quiet_console()

    def test_each_state_has_its_badge(self):
        self.connect(6, "finn")
        self.post([(6, "finn")], "read me")
        self.device_card("read me").get_by_role("button", name="Mark read").click()
        expect(self.device_card("read me").locator(".badge")).to_have_text("READ", timeout=PUSH_MS)
        self.post([(6, "finn")], "short-lived", ttl_seconds=1)
        self.post([(6, "finn")], "stays")
        self.show_history(6, "finn")
        badges = self.page.locator("#history-list .badge")
        expect(badges).to_have_text(["UNREAD", "AUTO-CLEARED", "READ"])
        expect(self.page.locator("#history-list .message.gone")).to_have_text("The payload has expired.")
        self.picture("badges")

    def test_what_is_done_over_http_shows_on_the_device(self):
        self.connect(4, "dora")
        ids = {text: self.post([(4, "dora")], text)[0]["notification_id"] for text in ("first", "second", "third")}
        user = {"user_id": 4, "login": "dora"}
        first = self.device_card("first").locator(".badge")
        expect(first).to_have_text("UNREAD", timeout=PUSH_MS)
        self.ask("PUT", f"/api/v1/notifications/{ids['first']}/read", **user)
        expect(first).to_have_text("READ", timeout=PUSH_MS)
        self.ask("PUT", f"/api/v1/notifications/{ids['first']}/unread", **user)
        expect(first).to_have_text("UNREAD", timeout=PUSH_MS)
        expect(self.device_card("first").get_by_role("button", name="Mark read")).to_be_visible()
        self.ask("DELETE", f"/api/v1/notifications/{ids['second']}", **user)
        expect(self.device_card("second")).to_have_count(0, timeout=PUSH_MS)
        self.ask("DELETE", f"/api/v1/notify/{ids['third']}")
        expect(self.device_card("third")).to_have_count(0, timeout=PUSH_MS)
        expect(self.page.locator("#device-list .card")).to_have_count(1)
        self.assert_quiet_console()

    def test_dark_and_narrow(self):
        page = self.open_page(color_scheme="dark")
        self.picture("dark", page)
        page.set_viewport_size({"width": 390, "height": 800})
        width = page.evaluate("document.documentElement.scrollWidth")
        self.assertLessEqual(width, 390, "the page scrolls sideways on a phone")
        self.picture("narrow", page)


class LostServerTest(unittest.TestCase):
    def test_a_server_that_goes_away_is_told_and_found_again(self):
        hub = Hub()
        self.addCleanup(hub.stop)
        with sync_playwright() as playwright:
            browser = launch(playwright)
            page = browser.new_page()
            page.goto(hub.url)
            expect(page.locator("#health")).to_contain_text("healthy")
            page.locator("#device-open").click()
            expect(page.locator("#device-state")).to_contain_text("Live")
            hub.server.stop()
            expect(page.locator("#lost")).to_be_visible()
            expect(page.locator("#device-state")).to_contain_text("Trying again")
            page.screenshot(path=SCREENSHOTS / "lost.png", full_page=True)
            hub.start_server()
            expect(page.locator("#lost")).to_be_hidden()
            expect(page.locator("#device-state")).to_contain_text("Live")
            browser.close()


if __name__ == "__main__":
    unittest.main()
