"""Sending from the page at `/`: every limit at its field, to one, to some, to all; and that nothing shown becomes markup."""

import json
import unittest

from playwright.sync_api import expect

from foreign_pod import ForeignPod, Redis, write_clients
from page_case import PUSH_MS, PageCase

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b>"


class FieldsTest(PageCase):
    def expect_refused(self, field, *words):
        error = self.page.locator(f"#{field}-error")
        for word in words:
            expect(error).to_contain_text(word)
        control = self.page.locator(f"#send [name={field}]")
        expect(control).to_have_attribute("aria-invalid", "true")
        expect(control).to_have_attribute("aria-describedby", f"{field}-error")
        expect(control).to_be_focused()
        expect(self.page.locator("#send-result .problem")).to_contain_text("Not sent")

    def expect_stored(self):
        expect(self.page.locator("#send-result .good")).to_be_visible()
        expect(self.page.locator("#send [aria-invalid]")).to_have_count(0)
        expect(self.page.locator(".field-error")).to_have_count(0)

    def test_every_limit_is_told_at_its_field(self):
        self.fill_user("send", 1, "alice")
        self.send("x")
        self.expect_stored()
        limits = {
            "id": [("9223372036854775807", "9223372036854775808", "1")],
            "login": [("l" * 64, "l" * 65, "alice"), ("a_.@+-Z9", "a b", "alice")],
            "message": [("m", "", "x")],
            "title": [("t" * 1024, "t" * 1025, ""), ("é" * 512, "é" * 512 + "e", "")],
            "type": [("t" * 128, "t" * 129, "")],
            "source": [("s" * 128, "s" * 129, "")],
            "channel": [("c" * 128, "c" * 129, "")],
            "ttl_seconds": [("1", "0", ""), ("1296000", "1296001", ""), ("0900", "15 min", ""), ("60", "-1", "")],
            "data": [('{"a": 1}', "[1]", ""), ('{"a": {"b": 1}}', '{"a": ', ""), ("{}", "7", "")],
        }
        for field, cases in limits.items():
            for good, bad, usual in cases:
                with self.subTest(field=field, bad=bad[:20]):
                    control = self.page.locator(f"#send [name={field}]")
                    control.fill(bad)
                    self.page.locator("#send-button").click()
                    self.expect_refused(field)
                    control.fill(good)
                    expect(self.page.locator(f"#{field}-error")).to_have_count(0)
                    self.page.locator("#send-button").click()
                    self.expect_stored()
                    control.fill(usual)

    def test_several_errors_stand_each_at_its_field(self):
        self.fill_user("send", 1, "not a login")
        self.send("", title="t" * 1025, ttl_seconds="0")
        self.expect_refused("login", "a login is 1 to 64 ASCII letters")
        for field in ("message", "title", "ttl_seconds"):
            expect(self.page.locator(f"#{field}-error")).to_be_visible()
        expect(self.page.locator("#send-result")).to_contain_text("4 fields")
        self.picture("field-errors")
        self.page.set_viewport_size({"width": 390, "height": 800})
        self.picture("field-errors-narrow")

    def test_an_error_inside_data_names_its_place(self):
        problem = {
            "title": "Unprocessable Content",
            "status": 422,
            "detail": "two things",
            "errors": [{"pointer": "/data/a/b", "detail": "is wrong"}, {"pointer": "/target/7/id", "detail": "is elsewhere"}],
        }
        self.page.route("**/api/v1/notify", lambda route: route.fulfill(status=422, json=problem))
        self.send("x", data='{"a": {"b": 1}}')
        self.expect_refused("data", "/data/a/b is wrong")
        expect(self.page.locator("#send-result")).to_contain_text("/target/7/id is elsewhere")

    def test_all_fields_arrive(self):
        self.connect(9, "fields")
        self.fill_user("send", 9, "fields")
        fields = {"title": "T", "type": "a.b", "source": "s", "channel": "c", "priority": "urgent", "ttl_seconds": "77"}
        self.send("m", data='{"n": 12345678901234567890}', **fields)
        expect(self.device_card("T")).to_have_count(1, timeout=PUSH_MS)
        [entry] = self.server_answer("/api/v1/admin/history", user_id=9, login="fields")["messages"]
        payload = entry["payload"]
        self.assertEqual({name: payload[name] for name in ("title", "type", "source", "channel", "priority")},
                         {name: fields[name] for name in ("title", "type", "source", "channel", "priority")})
        self.assertEqual(payload["data"], {"n": 12345678901234567890})
        redis = Redis(self.hub.redis_port)
        self.addCleanup(redis.close)
        self.assertIn(redis.number("TTL", f"notification:{payload['notification_id']}"), range(60, 78))


class AudienceTest(PageCase):
    def crowd(self, number):
        pod = ForeignPod(self.hub.redis_port, "crowd")
        self.addCleanup(pod.stop)
        write_clients(self.hub.redis_port, "crowd", range(number), 1_700_000_000_000)
        expect(self.page.locator("#clients-total")).to_have_text(f"{number:,}")

    def test_to_everybody_takes_a_second_press(self):
        page = self.page
        self.crowd(3)
        stored = lambda: self.server_answer("/api/v1/admin/history", user_id=1, login="user1")["total"]
        before = stored()
        page.locator("#send [value=all]").check()
        self.send("for all")
        expect(page.locator("#send-result")).to_contain_text("This goes to 3 users at once.")
        expect(page.get_by_role("button", name="Send to 3 users")).to_be_focused()
        self.picture("confirm")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#send-result")).to_be_empty()
        expect(page.locator("#send-button")).to_be_focused()
        self.assertEqual(stored(), before)
        page.locator("#send-button").click()
        page.get_by_role("button", name="Send to 3 users").click()
        expect(page.locator("#send-result")).to_contain_text("Stored for 3 users.")
        self.assertEqual(stored(), before + 1)

    def test_to_a_channel_and_to_everybody_connected_or_not(self):
        page = self.page
        self.ask("PUT", "/api/v1/notifications/channels/orders", user_id=5, login="erin")
        self.connect(5, "erin")
        send = page.locator("#send")
        send.get_by_label("a channel").check()
        for hidden in ("id", "login", "channel"):
            expect(send.locator(f"[name={hidden}]")).to_be_hidden()
        for name, what in (("", "must be 1 to 128"), ("no name", "must be 1 to 128")):
            self.send("for a channel", audience=name)
            expect(page.locator("#audience-error")).to_contain_text(what)
            expect(send.locator("[name=audience]")).to_be_focused()
        # The browser tells of the refusals.
        self.console.clear()
        self.send("for a channel", audience=" orders ")
        expect(page.locator("#send-result")).to_contain_text("Stored for channel orders.")
        expect(self.device_card("for a channel").locator(".chip")).to_have_text("#orders", timeout=PUSH_MS)
        expect(page.locator("#device-list")).not_to_contain_text("false")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 900})
                self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width)
                self.picture(f"to-a-channel-{width}-{scheme}")
        # What stands in a field that is not shown is not sent.
        send.get_by_label("one user").check()
        send.locator("[name=channel]").fill("news")
        send.get_by_label("everybody").check()
        expect(send.locator("[name=audience]")).to_be_hidden()
        page.locator("#send-button").click()
        expect(page.locator("#send-result")).to_contain_text("This goes to everybody, now or when they next connect.")
        page.get_by_role("button", name="Cancel").click()
        self.send("for everybody")
        self.picture("to-everybody")
        page.locator("#send-result").get_by_role("button", name="Send to everybody").click()
        expect(page.locator("#send-result")).to_contain_text("Stored for everybody.")
        expect(self.device_card("for everybody").locator(".chip")).to_have_text("everybody", timeout=PUSH_MS)
        later = self.server_answer("/api/v1/notifications", user_id=6, login="frank")["notifications"]
        self.assertEqual([row["message"] for row in later], ["for everybody"])
        self.assert_quiet_console()

    def test_more_users_than_one_request_takes(self):
        page = self.page
        self.crowd(1001)
        page.locator("#select-all").check()
        # Of those that are not listed yet none is selected.
        expect(page.locator("#selected-count")).to_have_text("500 clients of 500 users selected")
        requests = []
        page.on("request", lambda request: request.url.endswith("/notify") and requests.append(json.loads(request.post_data)))
        page.locator("#send [value=all]").check()
        self.send("for all")
        page.get_by_role("button", name="Send to 1,001 users").click()
        expect(page.locator("#send-result")).to_contain_text("Stored for 1,001 users.")
        expect(page.locator("#send-result")).to_contain_text("and 981 more")
        self.assertEqual([len(request["target"]) for request in requests], [1000, 1])

    def test_a_selection_sends_to_each_user_once(self):
        page = self.page
        self.crowd(3)
        self.connect(2, "user2")
        rows = page.locator("#clients-list .row").filter(has_text="2-user2")
        expect(rows).to_have_count(2)
        for row in rows.all():
            row.get_by_role("checkbox").check()
        expect(page.locator("#selected-count")).to_have_text("2 clients of 1 user selected")
        page.locator("#send [value=selected]").check()
        expect(page.locator("#send-button")).to_have_text("Send to 1 user")
        self.send("once")
        expect(page.locator("#send-result")).to_contain_text("Stored for 1 user.")
        expect(self.device_card("once")).to_have_count(1, timeout=PUSH_MS)
        page.locator("#clear-selection").click()
        expect(page.locator("#selected-count")).to_have_text("None selected")
        expect(page.locator("#clients-list input:checked")).to_have_count(0)


class MarkupTest(PageCase):
    SETTINGS = {"USER_IDS": "text"}

    def test_nothing_that_is_shown_becomes_markup(self):
        page = self.page
        user = ("<i>id</i>", "eve")
        self.connect(*user)
        self.post([user], MARKUP, title=MARKUP, type="<s>type</s>", source="<u>source</u>", channel="<u>channel</u>",
                  data={"<b>": "</pre><img src=x>"})
        card = self.device_card("bold").first
        expect(card).to_contain_text(MARKUP)
        card.locator("summary").click()
        expect(card.locator("pre")).to_contain_text("</pre><img src=x>")
        expect(page.locator("#clients-list .row")).to_contain_text(["<i>id</i>-eve"])
        row = page.locator("#clients-list .row").first
        row.get_by_role("button").click()
        expect(page.locator("#history-list .card")).to_contain_text([MARKUP])
        expect(page.locator("#pending-list .card")).to_contain_text([MARKUP])
        self.send(MARKUP)
        expect(page.locator("#send-result")).to_contain_text("<i>id</i>-eve")
        page.locator("#clients-filter").fill(MARKUP)
        expect(page.locator("#clients-empty")).to_be_visible()
        for foreign in ("main img", "main script", "body b", "body i", "body u", "body s"):
            expect(page.locator(foreign)).to_have_count(0)
        self.picture("markup-everywhere")
        self.assert_quiet_console()

    def test_texts_without_end_stay_in_their_places(self):
        page = self.page
        long = "x" * 60
        user = ("u" * 128, "l" * 64)
        self.connect(*user)
        self.post([user], "word" * 500, title=long * 10, type=long * 2, source=long * 2, channel=long * 2, data={long: long * 20})
        page.locator("#clients-list .row").first.get_by_role("button").click()
        expect(page.locator("#history-list .card")).to_have_count(1)
        expect(page.locator("#pending-list .card").filter(has_text="word" * 500)).to_have_count(1)
        expect(page.locator("#device-list .card")).to_have_count(1)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width)
            for name in ("pending", "history", "device", "clients"):
                overhang = page.locator(f"#{name}-scroll").evaluate("(node) => node.scrollWidth - node.clientWidth")
                self.assertLessEqual(overhang, 0, name)
            self.picture(f"long-{width}")

    def test_the_policy_keeps_foreign_code_out(self):
        seen = self.page.evaluate("""async () => {
          window.violations = [];
          document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
          window.ran = false;
          let refused = false;
          try {
            document.body.append(Object.assign(document.createElement("div"), { innerHTML: "<img src=x onerror='ran = true'>" }));
          } catch (error) {
            refused = error instanceof TypeError;
          }
          const style = document.createElement("style");
          style.textContent = "body { display: none }";
          document.head.append(style);
          await fetch("https://elsewhere.invalid/").catch(() => {});
          style.remove();
          return { refused, ran: window.ran };
        }""")
        self.assertEqual(seen, {"refused": True, "ran": False})
        for directive in ("connect-src", "require-trusted-types-for", "style-src-elem"):
            self.page.wait_for_function("(directive) => violations.includes(directive)", arg=directive)


if __name__ == "__main__":
    unittest.main()
