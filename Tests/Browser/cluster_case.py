"""What the tests of the page with more than one pod share."""

import re
import time

from playwright.sync_api import expect

from foreign_pod import ForeignPod, write_clients
from harness import ROOT, SERVER, Program, answers, free_port
from page_case import PageCase

NUMBER = r"[0-9.,]+"


class ClusterCase(PageCase):
    def start_pod(self, name):
        """Starts another pod on the same Redis."""
        port = free_port()
        pod = Program(
            [SERVER],
            self.hub.server.log.parent / f"{name}.log",
            lambda: answers(f"http://127.0.0.1:{port}/ready"),
            SERVER_ADDR=f"127.0.0.1:{port}",
            REDIS_ADDR=f"127.0.0.1:{self.hub.redis_port}",
            WEB_DIR=str(ROOT / "web"),
            POD_ID=name,
            DRAIN_SECONDS="0",
        )
        self.addCleanup(pod.stop)
        return pod

    def foreign_clients(self, name, clients):
        pod = ForeignPod(self.hub.redis_port, name)
        self.addCleanup(pod.stop)
        self.write_clients(name, clients)

    def write_clients(self, name, clients):
        write_clients(self.hub.redis_port, name, clients, int(time.time() * 1000) - 100_000)

    def refreshed(self, path="admin/clients", times=2):
        """Waits until a question that is asked from now on has been answered and shown."""
        for _ in range(times):
            with self.page.expect_response(lambda response: path in response.url) as response:
                pass
            response.value.finished()
        self.page.evaluate("new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))")

    def chart(self, name):
        return self.page.locator(f".chart[data-name={name}]")

    def said(self, name, pattern):
        """What the chart tells those who do not see it."""
        expect(self.chart(name).locator("svg")).to_have_attribute("aria-label", re.compile(pattern))

    def pod(self, name):
        return self.page.locator("#pods-list .pod").filter(has=self.page.locator("strong", has_text=re.compile(f"^{name}$")))
