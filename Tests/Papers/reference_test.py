"""The page that shows the documents to people, in a real browser against a real server."""

import json
import re
import unittest

from playwright.sync_api import expect, sync_playwright

from papers import ASYNCAPI, OPENAPI, Hub, operations  # first: it makes the browser tests' folder known

from chromium import SCREENSHOTS, launch, listen
from contrast import TEXT_RATIO, faint, texts

MARKUP = "<img src=x onerror=alert(1)> </code></script><script>alert(2)</script>"


class ReferenceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = Hub()
        cls.addClassCleanup(cls.hub.stop)
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = launch(playwright)
        cls.addClassCleanup(cls.browser.close)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def setUp(self):
        self.page = self.browser.new_page(viewport={"width": 1280, "height": 900})
        self.addCleanup(self.page.close)
        self.console: list[str] = []
        listen(self.page, self.console)

    def tearDown(self):
        self.assertEqual(self.console, [])

    def show(self, anchor=""):
        self.page.goto("about:blank")
        self.page.goto(f"{self.hub.url}/reference.html{anchor}")
        expect(self.page.locator("#version")).to_contain_text(OPENAPI["info"]["version"])

    def test_everything_is_there(self):
        self.show()
        self.page.get_by_role("button", name="Open all").click()
        text = self.page.locator("main").inner_text()
        for path, method, operation, parameters in operations():
            shown = self.page.locator(f"#{operation['operationId']}")
            expect(shown.locator("> summary")).to_contain_text(re.compile(f"{method.upper()}.*{re.escape(path)}", re.DOTALL))
            inside = shown.inner_text()
            for name in [parameter["name"] for parameter in parameters] + [s for s in operation["responses"] if s != "default"]:
                self.assertIn(name, inside, f"{method} {path}")
        for names in (OPENAPI["components"]["schemas"], ASYNCAPI["components"]["schemas"]):
            for name in names:
                self.assertIn(name, text)
        for message in ASYNCAPI["components"]["messages"].values():
            self.assertIn(message["name"], text)
        for code in OPENAPI["components"]["schemas"]["ErrorCode"]["anyOf"][0]["enum"]:
            self.assertIn(code, text)
        self.assertNotIn("undefined", text)
        self.assertNotIn("[object", text)
        # Every link into the page leads somewhere.
        missing = "links => links.map(link => link.getAttribute('href')).filter(href => !document.getElementById(href.slice(1)))"
        self.assertEqual(self.page.locator("a[href^='#']").evaluate_all(missing), [])

    def test_a_curl_line_does_what_it_says(self):
        self.show("#notify")
        line = self.page.locator("#notify pre").first.inner_text()
        self.assertTrue(line.startswith(f"curl '{self.hub.url}/api/v1/notify'"), line)
        body = json.loads(re.search(r"-d '(.*)'", line, re.DOTALL)[1])
        self.assertEqual(body, OPENAPI["components"]["examples"]["Notify"]["value"])
        self.show("#markRead")
        self.assertIn("/read?user_id=1&login=alice", self.page.locator("#markRead pre").first.inner_text())

    def test_it_can_be_used_with_the_keyboard(self):
        page = self.page
        self.show()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the text")).to_be_focused()
        page.keyboard.press("Enter")
        page.locator("#find").focus()
        page.keyboard.type("snooze put")
        expect(page.locator("#found")).to_have_text(re.compile(r"^\d found$"))
        expect(page.locator("#list li:visible")).to_have_count(int(page.locator("#found").inner_text().split()[0]))
        while "Snooze" not in page.evaluate("document.activeElement.textContent"):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#snooze")).to_have_attribute("open", "")
        expect(page.locator("#snooze > summary")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#snooze")).not_to_have_attribute("open", "")

    def test_markup_in_a_document_is_text(self):
        document = json.loads(json.dumps(OPENAPI))
        notify = document["paths"]["/api/v1/notify"]["post"]
        notify["summary"] = notify["description"] = MARKUP
        document["components"]["examples"]["Notify"]["value"]["message"] = MARKUP
        document["components"]["schemas"]["NotifyRequest"]["properties"]["message"]["description"] = MARKUP
        self.page.route("**/openapi.json", lambda route: route.fulfill(json=document))
        self.show("#notify")
        expect(self.page.locator("#notify > summary")).to_contain_text(MARKUP)
        expect(self.page.locator("#notify .inside p").first).to_have_text(MARKUP)
        expect(self.page.locator("main img, main script")).to_have_count(0)

    def test_a_missing_document_is_told(self):
        self.page.route("**/asyncapi.json", lambda route: route.fulfill(status=404))
        self.page.goto(f"{self.hub.url}/reference.html")
        expect(self.page.get_by_role("alert")).to_contain_text("asyncapi.json: HTTP 404")
        self.console.clear()

    def test_text_stands_out_and_everything_has_a_name(self):
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            self.show("#notify")
            self.page.get_by_role("button", name="Open all").click()
            for summary in self.page.locator("#notify .answer > summary").all():
                summary.click()
            measured = texts(self.page)
            self.assertGreater(len(measured), 1000)
            self.assertEqual(faint(measured, TEXT_RATIO), [], scheme)
        faults = self.page.evaluate("""() => {
          const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
          const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((node) => Number(node.localName[1]));
          return [
            ...ids.filter((id, index) => ids.indexOf(id) !== index),
            ...[...document.querySelectorAll("input")].filter((node) => !node.labels.length).map((node) => node.outerHTML),
            ...[...document.querySelectorAll("a, button")].filter((node) => !node.textContent.trim() && !node.ariaLabel),
            ...levels.filter((level, index) => level - (levels[index - 1] ?? 0) > 1).map((level) => `h${level} too deep`),
          ];
        }""")
        self.assertEqual(faults, [])

    def test_sizes_and_schemes(self):
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            for width in (1280, 390):
                self.page.set_viewport_size({"width": width, "height": 900})
                for name, anchor in (("top", ""), ("call", "#notify"), ("event", "#webSocket-InboxChanged")):
                    self.show(anchor)
                    self.page.screenshot(path=SCREENSHOTS / f"reference-{name}-{width}-{scheme}.png")
                self.page.get_by_role("button", name="Open all").click()
                shown = self.page.evaluate("document.documentElement.scrollWidth")
                self.assertLessEqual(shown, width, "the page scrolls sideways")

    @classmethod
    def tearDownClass(cls):
        print(f"screenshots: {SCREENSHOTS}")


if __name__ == "__main__":
    unittest.main()
