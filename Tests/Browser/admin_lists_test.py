"""The lists of the page at `/`: as long as they may be, and left where they are by every refresh."""

import unittest

from playwright.sync_api import expect

from cluster_case import ClusterCase
from harness import eventually

# The main thread may be busy this long at once; people notice less, but the machine may be shared.
FREEZE_MS = 500


class ListsTest(ClusterCase):
    def test_ten_thousand_clients_do_not_freeze_the_page(self):
        page = self.page
        page.evaluate("""() => {
          window.longest = 0;
          new PerformanceObserver((list) => list.getEntries().forEach((task) => (longest = Math.max(longest, task.duration))))
            .observe({ type: "longtask", buffered: true });
        }""")
        self.foreign_clients("crowd", range(10_000))
        rows = page.locator("#clients-list .row")
        expect(page.locator("#clients-total")).to_have_text("10,000")
        expect(rows.first).to_contain_text("9999-user9999")

        rows.first.get_by_role("checkbox").focus()
        # The end is that of what was asked for so far; seeing it asks for more.
        last = "() => document.getElementById('clients-list').textContent.includes('0-user0')"
        eventually(lambda: page.keyboard.press("End") or page.evaluate(last), "the last client is reached", 30)
        page.keyboard.press("End")
        expect(page.locator(":focus")).to_have_accessible_name("Select 0-user0")
        expect(page.locator("#clients-list .row:focus-within")).to_have_attribute("aria-rowindex", "10001")
        self.assertLess(rows.count(), 60)

        page.locator("#clients-filter").fill("user777")
        expect(page.locator("#clients-total")).to_have_text("11 of 10,000")
        page.locator("#select-all").check()
        expect(page.locator("#selected-count")).to_have_text("11 clients of 11 users selected")
        page.locator("#clients-filter").fill("")
        expect(page.locator("#clients-total")).to_have_text("10,000")
        page.locator("#select-all").check()
        expect(page.locator("#selected-count")).to_have_text("10,000 clients of 10,000 users selected")
        self.refreshed()
        self.picture("ten-thousand")
        self.assertLess(page.evaluate("longest"), FREEZE_MS)
        self.assert_quiet_console()

    def test_more_than_are_listed_are_counted(self):
        # The filter stands before there is anything to filter.
        self.page.locator("#clients-filter").fill("user10000")
        self.foreign_clients("crowd", range(10_001))
        expect(self.page.locator("#clients-total")).to_have_text("1 of 10,001")
        self.page.locator("#clients-filter").fill("")
        expect(self.page.locator("#clients-total")).to_have_text("10,001, the newest 10,000 listed")

    def test_a_refresh_keeps_focus_selection_and_scroll(self):
        page = self.page
        self.foreign_clients("steady", range(100))
        expect(page.locator("#clients-total")).to_have_text("100")
        page.locator("#clients-scroll").hover()
        page.mouse.wheel(0, 1000)
        row = page.locator("#clients-list .row").filter(has_text="70-user70")
        row.get_by_role("checkbox").check()
        row.get_by_role("button").focus()
        page.evaluate("""() => {
          const cell = [...document.querySelectorAll("#clients-list .row")].find((row) => row.textContent.includes("70-user70"));
          getSelection().selectAllChildren(cell.lastElementChild);
        }""")
        state = """() => [document.activeElement.textContent, getSelection().toString(),
            Math.round(document.activeElement.getBoundingClientRect().top)]"""
        before = page.evaluate(state)
        self.assertEqual(before[:2], ["70-user70", "steady-00070"])
        self.write_clients("steady", range(100, 150))
        expect(page.locator("#clients-total")).to_have_text("150")
        self.refreshed()
        self.assertEqual(page.evaluate(state), before)
        expect(row.get_by_role("checkbox")).to_be_checked()
        expect(row).to_have_attribute("aria-selected", "true")

    def test_cards_keep_their_place_while_new_ones_come(self):
        page = self.page
        self.connect(21, "reader")
        for number in range(12):
            self.post([(21, "reader")], f"card {number}", data={"n": number})
        self.show_history(21, "reader")
        expect(page.locator("#history-list .card")).to_have_count(12)
        expect(page.locator("#pending-list .card")).to_have_count(12)
        places = """() => ["pending", "history", "device"].map((name) => {
            const summary = document.querySelector(`#${name}-list details[open] summary`);
            const scroller = document.querySelector(`#${name}-scroll`);
            return Math.round(summary.getBoundingClientRect().top - scroller.getBoundingClientRect().top);
        })"""
        for name in ("pending", "history", "device"):
            summary = page.locator(f"#{name}-list .card").filter(has_text="card 4").locator("summary")
            summary.click()
        before = page.evaluate(places)
        page.evaluate("getSelection().selectAllChildren(document.querySelector('#history-list details[open] pre'))")
        selected = page.evaluate("getSelection().toString()")
        self.post([(21, "reader")], "one more")
        for name in ("pending", "history", "device"):
            expect(page.locator(f"#{name}-list .card").filter(has_text="one more")).to_have_count(1)
        # Scrolling goes by whole pixels, the height of a card does not.
        for name, place, earlier in zip(("pending", "history", "device"), page.evaluate(places), before):
            self.assertAlmostEqual(place, earlier, delta=1, msg=name)
        self.assertEqual(page.evaluate("getSelection().toString()"), selected)
        # The badge changes in the row that is there.
        self.device_card("card 4").get_by_role("button").click()
        card = page.locator("#history-list .card").filter(has_text="card 4")
        expect(card.locator(".badge")).to_have_text("READ")
        expect(card.locator("details")).to_have_attribute("open", "")
        self.assert_quiet_console()


if __name__ == "__main__":
    unittest.main()
