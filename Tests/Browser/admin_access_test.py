"""The page at `/` for those who use it without a mouse, without eyes, or with little light: keyboard, names, contrast, motion."""

import itertools
import unittest

from playwright.sync_api import expect

from page_case import PUSH_MS, PageCase

# WCAG 2.2 AA: text, and the edge of a control against what is beside it.
TEXT_CONTRAST = 4.5
EDGE_CONTRAST = 3

# Everything that the measurements need, in the page.
MEASURES = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const colour = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return { rgb: [r, g, b], alpha: a / 255 };
  };
  const over = (top, ground) => top.rgb.map((part, index) => part * top.alpha + ground[index] * (1 - top.alpha));
  const groundOf = (node) => {
    if (!node) return [255, 255, 255];
    const own = colour(getComputedStyle(node).backgroundColor);
    return own.alpha === 1 ? own.rgb : over(own, groundOf(node.parentElement));
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const isShown = (node) => node.checkVisibility() && node.getBoundingClientRect().width > 1;
  window.textContrasts = () => [...document.querySelectorAll("body *")].filter(isShown).flatMap((node) => {
    const found = [];
    const measure = (style, text) => {
      const ground = groundOf(node);
      found.push({ text: text.trim().slice(0, 30), ratio: ratio(over(colour(style.color), ground), ground) });
    };
    const own = [...node.childNodes].filter((child) => child.nodeType === 3 && child.data.trim()).map((child) => child.data).join(" ");
    if (own) measure(getComputedStyle(node), own);
    if (node.value && node.matches("input:not([type=radio], [type=checkbox]), textarea")) measure(getComputedStyle(node), node.value);
    if (node.placeholder) measure(getComputedStyle(node, "::placeholder"), node.placeholder);
    return found;
  });
  window.edgeContrasts = () => [...document.querySelectorAll("input:not([type=radio], [type=checkbox]), textarea, select, button:not(.link)")]
    .filter(isShown).map((node) => {
      const edge = colour(getComputedStyle(node).borderTopColor).rgb;
      return { name: node.name || node.id || node.textContent, ratio: ratio(edge, groundOf(node.parentElement)) };
    });
}"""


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
            self.page.evaluate(MEASURES)
            self.check_contrast(scheme, "busy")
            self.picture(f"access-{scheme}")
            self.send("", ttl_seconds="0")
            expect(self.page.locator(".field-error")).to_have_count(2)
            self.check_contrast(scheme, "refused")
            self.send("fine", ttl_seconds="")
            expect(self.page.locator("#send-result .good")).to_be_visible()
            self.check_contrast(scheme, "stored")

    def check_contrast(self, scheme, state):
        texts = self.page.evaluate("textContrasts()")
        self.assertGreater(len(texts), 60)
        self.assertEqual([row for row in texts if row["ratio"] < TEXT_CONTRAST], [], f"{scheme}, {state}")
        edges = self.page.evaluate("edgeContrasts()")
        self.assertGreater(len(edges), 15)
        self.assertEqual([row for row in edges if row["ratio"] < EDGE_CONTRAST], [], f"{scheme}, {state}")

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
          for (const node of document.querySelectorAll("button, a")) if (!node.textContent.trim()) faults.push(`no text: ${node.outerHTML}`);
          for (const node of document.querySelectorAll("img")) if (!node.hasAttribute("alt")) faults.push("img without alt");
          for (const node of document.querySelectorAll("svg")) if (!node.getAttribute("aria-label")) faults.push("svg without a text");
          for (const node of document.querySelectorAll("section")) if (!node.getAttribute("aria-labelledby")) faults.push("section without a name");
          const levels = [...document.querySelectorAll("h1, h2, h3")].map((node) => Number(node.localName[1]));
          levels.forEach((level, index) => level - (levels[index - 1] ?? 0) > 1 && faults.push(`h${level} after h${levels[index - 1]}`));
          if (document.querySelectorAll("h1").length !== 1 || document.querySelectorAll("main").length !== 1) faults.push("landmarks");
          if (!document.documentElement.lang) faults.push("no language");
          return faults;
        }""")
        self.assertEqual(faults, [])
        tree = self.page.locator("body").aria_snapshot()
        for part in ('grid "Connected clients', 'region "Send"', 'heading "Carillon" [level=1]', "status: ", 'img "Sent, the last minutes:'):
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
