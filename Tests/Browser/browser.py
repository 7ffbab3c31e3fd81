"""What the tests of the SDK and of the bell share: a hub whose folder also has pages for tests, Chromium, and posts.

Environment: CARILLON_SERVER (default .build/debug/carillon-server), and that of chromium.py.
"""

import json
import pathlib
import shutil
import tempfile
import unittest
import urllib.parse
import urllib.request

from playwright.sync_api import sync_playwright

from chromium import SCREENSHOTS, launch, listen
from harness import ROOT, Hub, eventually

# One above the largest integer that a double holds exactly.
BIG_ID = 9_007_199_254_740_993
# What the browser itself says when the hub refuses or is away.
EXPECTED_ON_CONSOLE = ("Failed to load resource", "WebSocket connection to")


class BrowserTest(unittest.TestCase):
    """Each class has a hub and a browser of its own; each test works with users of its own."""

    settings: dict[str, str] = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="carillon-site-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        shutil.copytree(ROOT / "web", cls.folder, dirs_exist_ok=True)
        for pages in ("pages", "units"):
            shutil.copytree(pathlib.Path(__file__).with_name(pages), cls.folder / "test" / pages)
        cls.hub = Hub(WEB_DIR=str(cls.folder), **cls.settings)
        cls.addClassCleanup(cls.hub.stop)
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = launch(playwright)
        cls.addClassCleanup(cls.browser.close)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def setUp(self):
        self.console = []

    def context(self, width=1280, height=820, **options):
        context = self.browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **options)
        self.addCleanup(context.close)
        return context

    def tab(self, context, path="/test/pages/blank.html", origin=None):
        page = context.new_page()
        listen(page, self.console, EXPECTED_ON_CONSOLE)
        page.goto((origin or self.hub.url) + path)
        return page

    def assert_quiet_console(self):
        self.assertEqual(self.console, [], self.hub.server_log()[-4000:])

    # The sender's side

    def post(self, user, message, **fields):
        """Sends one notification and gives its id."""
        body = json.dumps({"target": [{"id": user[0], "login": user[1]}], "message": message, **fields}).encode()
        request = urllib.request.Request(f"{self.hub.url}/api/v1/notify", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["results"][0]["notification_id"]

    def asked(self, path, user=None, method="GET", **query):
        if user:
            query = {"user_id": user[0], "login": user[1], **query}
        url = f"{self.hub.url}{path}?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
            return json.load(answer)

    def statuses(self, user):
        """What the hub holds for a user: message to status."""
        messages = self.asked("/api/v1/admin/history", user)["messages"]
        return {(entry["payload"] or {}).get("message"): entry["status"] for entry in messages}

    def devices(self, user):
        """How many connections the hub has from a user."""
        clients = self.asked("/api/v1/admin/clients")["clients"]
        return sum((client["id"], client["login"]) == user for client in clients)

    def eventually(self, condition, what, seconds=15):
        return eventually(condition, what, seconds)
