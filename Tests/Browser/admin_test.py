"""What the page at `/` shows of a cluster that is alive: charts, pods, and a server that goes away."""

import re
import unittest

from playwright.sync_api import expect

from cluster_case import NUMBER, ClusterCase
from harness import eventually
from page_case import PUSH_MS


class ChartsTest(ClusterCase):
    def test_charts_move_when_something_is_sent_and_read(self):
        page = self.page
        self.connect(11, "chart")
        sent = self.chart("notifications_sent_total")
        expect(sent.locator(".figure")).to_have_text("0/s")
        before = sent.locator(".curve.line0").get_attribute("d")
        self.fill_user("send", 11, "chart")
        for number in range(5):
            self.send(f"number {number}")
            expect(self.device_card(f"number {number}")).to_have_count(1, timeout=PUSH_MS)
        self.said("notifications_sent_total", f"now {NUMBER}/s, lowest 0/s, highest (?!0/s){NUMBER}/s")
        self.assertNotEqual(sent.locator(".curve.line0").get_attribute("d"), before)
        expect(sent.locator(".foot")).to_have_text("5 in all")
        self.said("delivery_latency_ms_count", f"p50 now {NUMBER}, .*; p99 now {NUMBER}")
        expect(self.chart("websocket_connections").locator(".figure")).to_have_text("1")
        page.locator("#device-read-all").click()
        self.said("notifications_acked_total", f"highest (?!0/s){NUMBER}/s")
        expect(self.chart("notifications_acked_total").locator(".foot")).to_contain_text("5 in all")
        for name in ("carillon_redis_cpu_seconds_total", "process_cpu_seconds_total"):
            self.said(name, f"now {NUMBER} %")
        expect(page.locator("#charts-source")).to_have_text("The last minutes of private, the pod that answers")
        self.picture("charts")
        self.assert_quiet_console()

    def test_a_pointer_reads_an_earlier_point(self):
        chart = self.chart("process_cpu_seconds_total")
        self.said("process_cpu_seconds_total", f"now {NUMBER} %")
        chart.locator("svg").hover(position={"x": 5, "y": 20})
        expect(chart.locator(".now .name").last).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
        expect(chart.locator(".cursor")).to_have_attribute("d", re.compile("^M"))
        self.page.locator("h1").hover()
        expect(chart.locator(".cursor")).to_have_attribute("d", "")

    def test_what_an_older_pod_does_not_say_is_left_out(self):
        page = self.page
        page.route("**/api/v1/admin/pods", lambda route: route.fulfill(status=404, json={"title": "Not Found"}))
        page.route("**/metrics", lambda route: route.fulfill(content_type="text/plain", body="notifications_sent_total 7\n"))
        page.reload()
        expect(self.chart("notifications_sent_total").locator(".foot")).to_have_text("7 in all")
        expect(self.chart("carillon_redis_cpu_seconds_total")).to_be_hidden()
        expect(page.locator("#pods")).to_be_hidden()
        expect(page.locator("#pods-problem")).to_be_empty()

    def test_behind_a_load_balancer_one_pod_is_followed(self):
        page = self.page
        asked = iter(range(10_000))

        def answer(route):
            turn = next(asked)
            # Two pods in turns: one has sent 10 more each time, the other a million from the beginning.
            sent, start = (1_000_000, 2) if turn % 2 else (turn * 10, 1)
            body = f"process_start_time_seconds {start}\nnotifications_sent_total {sent}\n"
            route.fulfill(content_type="text/plain", body=body)

        page.route("**/metrics", answer)
        page.reload()
        self.said("notifications_sent_total", r"now [0-9.]+/s, lowest (?!0/s)[0-9.]+/s, highest [0-9.]+/s")
        expect(page.locator("#charts-source")).to_have_text("The last minutes of one of the pods that answer")

    def test_rates_and_quantiles_at_their_edges(self):
        results = self.page.evaluate("""async () => {
          const { parseSamples, rate, quantile } = await import("./samples.js");
          const text = (...counts) => ["1", "2", "+Inf"].map((le, i) => `h_bucket{a="}",le="${le}"} ${counts[i]}`).join("\\n");
          const at = (at, text) => ({ at, ...parseSamples(text) });
          const share = (before, after, q) => quantile(at(0, text(...before)), at(1, text(...after)), "h", q);
          const speed = (ms, before, after) => rate(at(0, before), at(ms, after), "c") ?? "unknown";
          return {
            nothing: share([5, 5, 5], [5, 5, 5], 0.5) ?? "unknown",
            half: share([5, 5, 5], [15, 15, 15], 0.5),
            upper: share([0, 0, 0], [50, 100, 100], 0.99),
            beyond: share([0, 0, 0], [0, 0, 10], 0.99),
            anew: share([5, 9, 9], [0, 1, 1], 0.5) ?? "unknown",
            rate: speed(2000, "c 1", "c 5"),
            labels: speed(1000, 'c{x="1"} 1\\nc{x="2"} 1', 'c{x="1"} 2\\nc{x="2"} 3'),
            reset: speed(1000, "c 5", "c 4"),
            absent: speed(1000, "", "c 4"),
            instant: speed(0, "c 1", "c 2"),
          };
        }""")
        self.assertEqual(
            results,
            {
                "nothing": "unknown",
                "half": 0.5,
                "upper": 1.98,
                "beyond": 2,
                "anew": "unknown",
                "rate": 2,
                "labels": 3,
                "reset": "unknown",
                "absent": "unknown",
                "instant": "unknown",
            },
        )


class PodsTest(ClusterCase):
    def test_a_killed_pod_is_shown_until_it_is_back(self):
        expect(self.pod("private")).to_have_attribute("data-state", "alive")
        expect(self.pod("private")).to_contain_text("answers")
        second = self.start_pod("second")
        expect(self.pod("second")).to_have_attribute("data-state", "alive")
        expect(self.page.locator("#pods-note")).to_contain_text("All alive")
        second.process.kill()
        second.process.wait()
        expect(self.pod("second")).to_have_attribute("data-state", re.compile("dead|gone"))
        expect(self.pod("second")).to_have_attribute("data-state", "gone")
        expect(self.pod("private")).to_have_attribute("data-state", "alive")
        self.picture("pod-gone")
        self.start_pod("second")
        expect(self.pod("second")).to_have_attribute("data-state", "alive")
        expect(self.page.locator("#pods-list .pod")).to_have_count(2)
        self.assert_quiet_console()

    def test_many_pods_with_long_names(self):
        page = self.open_page()
        pods = [
            {"pod_id": f"carillon-production-eu-central-1-{number:03}", "heartbeat_at": "2026-11-22T01:00:00Z",
             "alive": number % 9 != 4, "self": False, "connections": number * 1000}
            for number in range(60)
        ]
        page.route("**/api/v1/admin/pods", lambda route: route.fulfill(json={"pods": pods, "total": 60}))
        expect(page.locator("#pods-list .pod[data-state=dead]")).to_have_count(7)
        self.assertLessEqual(page.locator("#pods-list").bounding_box()["height"], 240)
        self.picture("many-pods", page)
        page.set_viewport_size({"width": 390, "height": 800})
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 390)
        self.picture("many-pods-narrow", page)


class AbsenceTest(ClusterCase):
    def test_a_server_that_is_away_leaves_the_last_known_state(self):
        page = self.page
        self.connect(31, "patient")
        row = page.locator("#clients-list .row").filter(has_text="31-patient")
        expect(row).to_have_count(1)
        connection = row.locator("div").last.text_content()
        self.hub.server.stop()
        expect(page.locator("#lost")).to_be_visible()
        expect(page.locator("#health")).to_have_text("not connected")
        expect(row).to_have_count(1)
        expect(page.locator("#clients-grid")).to_have_css("opacity", "0.55")
        expect(page.locator("#send-button")).to_be_enabled()
        self.fill_user("send", 31, "patient")
        self.send("nobody hears this")
        expect(page.locator("#send-result")).to_contain_text("the server did not answer")
        self.picture("away")
        page.set_viewport_size({"width": 390, "height": 800})
        self.picture("away-narrow")
        self.hub.start_server()
        expect(page.locator("#lost")).to_be_hidden()
        expect(page.locator("#health")).to_contain_text("healthy")
        expect(page.locator("#clients-grid")).to_have_css("opacity", "1")
        expect(page.locator("#device-state")).to_contain_text("Live")
        expect(row).to_have_count(1)
        eventually(lambda: row.locator("div").last.text_content() != connection, "the new connection is listed")

    def test_a_proxy_that_has_no_server_counts_as_no_connection(self):
        page = self.page
        down = {"status": 503, "content_type": "text/html", "body": "<h1>No server is available</h1>"}
        page.route("**/health", lambda route: route.fulfill(**down))
        expect(page.locator("#lost")).to_contain_text("No connection to the server (HTTP 503)")
        page.unroute("**/health")
        expect(page.locator("#lost")).to_be_hidden()

    def test_a_panel_that_fails_alone_says_why_and_is_grey(self):
        page = self.page
        problem = {"title": "Service Unavailable", "detail": "Redis did not answer"}
        page.route("**/admin/pending?*", lambda route: route.fulfill(status=503, json=problem))
        expect(page.locator("#pending-problem")).to_contain_text("Redis did not answer")
        expect(page.locator("#pending-scroll")).to_have_css("opacity", "0.55")
        expect(page.locator("#lost")).to_be_hidden()
        page.unroute("**/admin/pending?*")
        expect(page.locator("#pending-problem")).to_be_empty()
        expect(page.locator("#pending-scroll")).to_have_css("opacity", "1")

    def test_a_slow_refresh_is_not_started_twice(self):
        page = self.page
        held = []
        page.route("**/admin/clients?*", lambda route: held.append(route))
        eventually(lambda: page.evaluate("1") and held, "a question is held back")
        self.refreshed("/health", times=3)
        self.assertEqual(len(held), 1)
        held[0].continue_()
        eventually(lambda: page.evaluate("1") and len(held) > 1, "the next one follows")

    def test_a_hidden_tab_does_not_ask(self):
        page = self.page
        page.clock.install()
        page.reload()
        expect(page.locator("#health")).to_contain_text("healthy")
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        hide = """(hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
        page.evaluate(hide, True)
        # What was under way may end; then nothing follows, however long the page waits.
        page.wait_for_load_state("networkidle")
        asked.clear()
        page.clock.run_for(600_000)
        self.assertEqual(asked, [])
        page.evaluate(hide, False)
        for path in ("health", "metrics", "admin/pods", "admin/clients", "admin/pending"):
            eventually(lambda: page.evaluate("1") and any(path in url for url in asked), f"{path} is asked at once", 2)


if __name__ == "__main__":
    unittest.main()
