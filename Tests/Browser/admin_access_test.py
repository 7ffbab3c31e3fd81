"""The page at `/` for those who use it without a mouse, without eyes, or with little light: keyboard, names, contrast, motion."""

import itertools
import unittest

from playwright.sync_api import expect

from contrast import EDGE_RATIO, TEXT_RATIO, edges, faint, texts
from page_case import PUSH_MS, PageCase


class AccessTest(PageCase):
    users = itertools.count(41)

    def fill_page(self):
        """Something in every panel, and every colour that it has."""
        page = self.page
        user = (next(self.users), "ada")
        self.connect(*user)
        for number, priority in enumerate(("low", "medium", "high", "urgent")):
            self.post([user], f"message {number}", title="A title", type="note", channel="orders", source="tests",
                      priority=priority, data={"number": number})
        expect(page.locator("#device-list .card")).to_have_count(4, timeout=PUSH_MS)
        page.locator("#device-list button").first.click()
        expect(page.locator("#device-list .badge.read")).to_have_count(1)
        self.show_history(*user)
        expect(page.locator("#history-list .card")).to_have_count(4)
        page.locator("#clients-list .row").first.get_by_role("checkbox").check()
        page.locator("#device-list summary").first.click()
        expect(page.locator("#pending-list .card")).not_to_have_count(0)
        expect(page.locator("#pods-list .pod")).to_have_count(1)

    def test_text_and_controls_stand_out_from_their_ground(self):
        for scheme in ("light", "dark"):
            self.page = self.open_page(color_scheme=scheme)
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.fill_page()
            self.check_contrast(scheme, "busy")
            self.picture(f"access-{scheme}")
            self.send("", ttl_seconds="0")
            expect(self.page.locator(".field-error")).to_have_count(2)
            self.check_contrast(scheme, "refused")
            self.send("fine", ttl_seconds="")
            expect(self.page.locator("#send-result .good")).to_be_visible()
            self.check_contrast(scheme, "stored")

    def check_contrast(self, scheme, state):
        for measured, least, count in ((texts(self.page), TEXT_RATIO, 60), (edges(self.page), EDGE_RATIO, 15)):
            self.assertGreater(len(measured), count)
            self.assertEqual(faint(measured, least), [], f"{scheme}, {state}")

    def test_every_control_has_a_name_and_every_reference_a_target(self):
        self.fill_page()
        faults = self.page.evaluate("""() => {
          const faults = [];
          const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
          ids.filter((id, index) => ids.indexOf(id) !== index).forEach((id) => faults.push(`twice: ${id}`));
          for (const name of ["aria-labelledby", "aria-describedby", "for"]) {
            for (const node of document.querySelectorAll(`[${name}]`)) {
              for (const id of node.getAttribute(name).split(" ")) if (!document.getElementById(id)) faults.push(`${name}: ${id}`);
            }
          }
          for (const node of document.querySelectorAll("input, select, textarea")) {
            if (!node.labels.length && !node.ariaLabel) faults.push(`no label: ${node.outerHTML}`);
          }
          const expect = (selector, isFine) => document.querySelectorAll(selector)
            .forEach((node) => isFine(node) || faults.push(node.outerHTML.slice(0, 200)));
          expect("button, a", (node) => node.textContent.trim());
          expect("img", (node) => node.hasAttribute("alt"));
          expect("svg", (node) => node.getAttribute("aria-label"));
          expect("section", (node) => node.getAttribute("aria-labelledby"));
          const levels = [...document.querySelectorAll("h1, h2, h3")].map((node) => Number(node.localName[1]));
          levels.forEach((level, index) => level - (levels[index - 1] ?? 0) > 1 && faults.push(`h${level} is too deep`));
          for (const single of ["h1", "main"]) if (document.querySelectorAll(single).length !== 1) faults.push(single);
          if (!document.documentElement.lang) faults.push("no language");
          return faults;
        }""")
        self.assertEqual(faults, [])
        tree = self.page.locator("body").aria_snapshot()
        parts = ('grid "Connected clients', 'region "Send"', 'heading "Carillon" [level=1]', "status: ", 'img "Sent, the last')
        for part in parts:
            self.assertIn(part, tree)

    def test_tab_goes_through_the_page_in_the_order_that_one_sees(self):
        page = self.page
        self.fill_page()
        user = page.locator("#clients-list .row").first.get_by_role("button").text_content()
        # Tab goes on from the last click.
        page.locator("h1").click()
        stops = []
        for _ in range(120):
            page.keyboard.press("Tab")
            stop = page.evaluate("""() => {
              const node = document.activeElement;
              if (node === document.body) return null;
              const box = node.getBoundingClientRect();
              const panel = node.closest("section");
              return {
                key: node.id || node.name || node.textContent.trim() || node.ariaLabel,
                panel: panel?.id ?? "",
                isSeen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
                outline: getComputedStyle(node).outlineStyle,
              };
            }""")
            if stop is None:
                break
            stops.append(stop)
        else:
            self.fail("Tab never leaves the page")
        self.assertEqual([stop for stop in stops if not stop["isSeen"] or stop["outline"] == "none"], [])
        panels = [stop["panel"] for stop in stops if stop["panel"]]
        self.assertEqual(list(dict.fromkeys(panels)), ["pods", "clients", "pending", "past", "sending", "device-panel"])
        # Each panel once: nobody is sent back.
        self.assertEqual(sum(a != b for a, b in zip(panels, panels[1:])), 5)
        # However many clients there are, their list is two stops: the checkbox and the name of one row.
        self.assertEqual([stop["key"] for stop in stops if stop["panel"] == "clients"],
                         ["clients-filter", "select-all", f"Select {user}", user, "clear-selection"])

    def test_all_of_it_by_keyboard(self):
        page = self.page
        press, write = page.keyboard.press, page.keyboard.insert_text

        def tab_to(selector):
            for _ in range(80):
                if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                    return
                press("Tab")
            self.fail(f"{selector} is not reached")

        press("Tab")
        expect(page.get_by_role("link", name="Skip to the panels")).to_be_focused()
        press("Enter")
        tab_to("#device [name=id]")
        press("Control+A")
        write("51")
        press("Tab")
        press("Control+A")
        write("kay")
        press("Enter")
        expect(page.locator("#device-state")).to_contain_text("Live as 51-kay")
        for _ in range(2):
            self.post([(51, "kay")], "from a backend")
        expect(page.locator("#device-list .card")).to_have_count(2, timeout=PUSH_MS)
        tab_to("#device-list button")
        press("Enter")
        expect(page.locator("#device-list .badge.read")).to_have_count(1)
        # The focus goes on to the next that is unread.
        expect(page.locator("#device-list button")).to_be_focused()
        press("Enter")
        expect(page.locator("#device-list .badge.read")).to_have_count(2)
        self.assertTrue(page.evaluate("document.activeElement.closest('#device-list') !== null"))

        expect(page.locator("#clients-list .row").filter(has_text="51-kay")).to_have_count(1)
        page.locator("h1").click()
        tab_to("#clients-list input")
        press("Space")
        expect(page.locator("#selected-count")).to_have_text("1 client of 1 user selected")
        press("ArrowRight")
        expect(page.locator(":focus")).to_have_text("51-kay")
        press("Enter")
        expect(page.locator("#history-list .card")).to_have_count(2)
        tab_to("#send [name=to]")
        press("ArrowDown")
        expect(page.locator("#send [value=selected]")).to_be_checked()
        tab_to("#send [name=message]")
        write("by keyboard")
        tab_to("#send-button")
        press("Enter")
        expect(page.locator("#send-result")).to_contain_text("Stored for 1 user.")
        expect(page.locator("#send-button")).to_be_focused()
        expect(self.device_card("by keyboard")).to_have_count(1, timeout=PUSH_MS)
        tab_to("#device-close")
        press("Enter")
        expect(page.locator("#device-state")).to_have_text("Not connected.")
        expect(page.locator("#device-open")).to_be_focused()
        self.assert_quiet_console()

    def test_each_width_has_no_sideways_scrolling_and_targets_for_fingers(self):
        self.fill_page()
        for width in (320, 390, 768, 1280, 1920):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.assertLessEqual(self.page.evaluate("document.documentElement.scrollWidth"), width)
            small = self.page.evaluate("""() => [...document.querySelectorAll("button, select, textarea, a, input")]
              .filter((node) => node.checkVisibility() && !node.matches(".skip"))
              .map((node) => ({ node, box: (node.closest("label, .row") ?? node).getBoundingClientRect() }))
              .filter(({ box }) => box.height < 24).map(({ node }) => node.outerHTML)""")
            self.assertEqual(small, [], width)


if __name__ == "__main__":
    unittest.main()
