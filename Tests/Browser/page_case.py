"""What the tests of the page at `/` share: a browser, a page with its console listened to, and steps.

Environment: CARILLON_SERVER (default .build/debug/carillon-server), and that of chromium.py.
"""

import json
import unittest
import urllib.parse
import urllib.request

from playwright.sync_api import expect, sync_playwright

from chromium import SCREENSHOTS, launch, listen
from harness import Hub

PUSH_MS = 2_000
REFRESH_MS = 10_000

expect.set_options(timeout=REFRESH_MS)


class PageCase(unittest.TestCase):
    # Of the server, besides the harness's own.
    SETTINGS: dict[str, str] = {}

    @classmethod
    def setUpClass(cls):
        cls.hub = Hub(**cls.SETTINGS)
        cls.addClassCleanup(cls.hub.stop)
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = launch(playwright)
        cls.addClassCleanup(cls.browser.close)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def setUp(self):
        self.console = []
        self.page = self.open_page()

    def open_page(self, **options):
        context = self.browser.new_context(viewport={"width": 1360, "height": 1000}, locale="en-GB", **options)
        self.addCleanup(context.close)
        page = context.new_page()
        listen(page, self.console)
        page.goto(self.hub.url)
        expect(page.locator("#health")).to_contain_text("healthy")
        return page

    def picture(self, name, page=None):
        (page or self.page).screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def assert_quiet_console(self):
        self.assertEqual(self.console, [], self.hub.server_log()[-4000:])

    # Steps

    def fill_user(self, form, user_id, login):
        self.page.locator(f"#{form} [name=id]").fill(str(user_id))
        self.page.locator(f"#{form} [name=login]").fill(login)

    def connect(self, user_id, login):
        self.fill_user("device", user_id, login)
        self.page.locator("#device-open").click()
        expect(self.page.locator("#device-state")).to_contain_text(f"Live as {user_id}-{login}")

    def send(self, message, **fields):
        self.page.locator("#send [name=message]").fill(message)
        for name, value in fields.items():
            field = self.page.locator(f"#send [name={name}]")
            if name == "priority":
                field.select_option(value)
            else:
                field.fill(value)
        self.page.locator("#send-button").click()

    def show_history(self, user_id, login):
        self.fill_user("history", user_id, login)
        self.page.locator("#history button").click()

    def device_card(self, text):
        return self.page.locator("#device-list .card").filter(has_text=text)

    def post(self, users, message, **fields):
        """Posts as a backend does."""
        body = {"target": [{"id": user_id, "login": login} for user_id, login in users], "message": message, **fields}
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.hub.url}/api/v1/notify", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["results"]

    def ask(self, method, path, **query):
        """Calls the server with a method that has no body."""
        request = urllib.request.Request(f"{self.hub.url}{path}?{urllib.parse.urlencode(query)}", method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def server_answer(self, path, **query):
        return self.ask("GET", path, **query)

    @classmethod
    def tearDownClass(cls):
        print(f"screenshots: {SCREENSHOTS}")
