// Ids, positions, pauses, closes and the parser of event streams.

import { Backoff } from "/sdk/backoff.js";
import { meaningOfAnswer, meaningOfClose, retryAfterMs } from "/sdk/closes.js";
import { EventStreamParser } from "/sdk/event-stream.js";
import { Hub } from "/sdk/hub.js";
import { compareStreamIds, splitStreamId } from "/sdk/ids.js";
import { itemOf } from "/sdk/item.js";
import { Positions } from "/sdk/positions.js";
import { isTrue, same, throws } from "./check.js";

export function streamIdsAreComparedAsNumbers() {
  isTrue(compareStreamIds("9-0", "10-0") < 0, "9 is before 10");
  isTrue(compareStreamIds("5-10", "5-9") > 0, "sequence 10 is after 9");
  isTrue(compareStreamIds("18446744073709551615-18446744073709551615", "18446744073709551615-18446744073709551614") > 0, "64 bits");
  isTrue(compareStreamIds("5-1@orders", "5-1@") === 0, "topics are not compared");
  same(splitStreamId("1640-0@a-b.c"), { time: "1640", sequence: "0", topic: "a-b.c" });
  for (const wrong of ["", "5", "5-", "-5", "05-0", "5-0x", "a-b", undefined, 7]) same(splitStreamId(wrong), undefined, String(wrong));
}

export function positionsAreOnePerStreamAndNeverGoBack() {
  const positions = new Positions("10-0,3-0@orders");
  for (const id of ["9-5", "11-0", "4-1@orders", "7-0@", "no id"]) positions.advance(id);
  same(String(positions), "11-0,4-1@orders,7-0@");
  same(String(new Positions(String(positions))), String(positions));
  same(String(new Positions()), "");
}

export function pausesGrowFromHalfASecondToTwenty() {
  const longest = new Backoff({ random: () => 1 });
  same(Array.from({ length: 8 }, () => longest.next()), [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
  longest.reset();
  same(longest.next(), 500, "starts over");
  same(new Backoff({ random: () => 0 }).next(), 0, "full jitter reaches down to nothing");
  const hinted = new Backoff({ random: () => 1 });
  same(hinted.next({ hintMs: 412 }), 412, "the server's hint");
  same(hinted.next({ atLeastMs: 30_000 }), 31_000, "beyond the least");
  for (let round = 0; round < 2000; round += 1) longest.next();
  same(longest.next(), 20_000, "stays bounded");
}

export function closeCodesSayWhetherToComeBack() {
  same(meaningOfClose(1001, "going away; come back in 412 ms").hintMs, 412);
  same(meaningOfClose(1001, "no answer to two pings").hintMs, undefined);
  same(meaningOfClose(1001, "come back in 999999999 ms").hintMs, 60_000, "a mistake");
  isTrue(meaningOfClose(1012, "resync needed").forget, "1012 forgets");
  isTrue(meaningOfClose(4429, "too many messages").atLeastMs >= 30_000, "4429 waits longer");
  isTrue(meaningOfClose(1013).atLeastMs > 0, "1013 pauses");
  for (const code of [1002, 1003, 1007, 1009, 4401]) isTrue(meaningOfClose(code).refused, `${code} does not come back`);
  for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 1013, 4429, 4500]) isTrue(!meaningOfClose(code).refused, `${code} comes back`);
}

export function answersSayWhetherToComeBack() {
  for (const status of [400, 401, 403, 410, 422]) isTrue(meaningOfAnswer({ status }).refused, `${status} does not come back`);
  for (const status of [408, 425, 429, 500, 502, 503]) isTrue(!meaningOfAnswer({ status }).refused, `${status} comes back`);
  same(meaningOfAnswer({ status: 503, retryAfterMs: 1000 }).atLeastMs, 1000);
  same(retryAfterMs("7"), 7000);
  same(retryAfterMs(new Date(5000).toUTCString(), 1000), 4000);
  same(retryAfterMs("99999999"), 300_000);
  same(retryAfterMs("soon"), undefined);
  same(retryAfterMs(null), undefined);
}

const streamText =
  "retry: 2000\n\n:still there\r\n\r\nevent: notification.push\nid: 1-0\ndata: {\"a\":\ndata:1}\n\nevent: session.end\rid:\rdata: {}\r\rdata\n\ndata: last";

export function eventStreamsMayBeCutAnywhere() {
  const whole = read([streamText]);
  same(whole.events, [
    { event: "notification.push", data: '{"a":\n1}', id: "1-0" },
    { event: "session.end", data: "{}", id: "" },
    { event: "message", data: "" },
  ]);
  same(whole.retryMs, 2000);
  for (let cut = 1; cut < streamText.length; cut += 1) same(read([streamText.slice(0, cut), streamText.slice(cut)]), whole, `cut at ${cut}`);
  same(read([...streamText]), whole, "one character each");
  same(read(["\uFEFFdata: x\n\n"]).events.length, 1, "a byte order mark");
}

function read(pieces) {
  const parser = new EventStreamParser();
  const result = { events: [] };
  for (const piece of pieces) {
    const { events, retryMs } = parser.push(piece);
    result.events.push(...events);
    result.retryMs ??= retryMs;
  }
  return result;
}

export function addressesAreMadeAsTheHubReadsThem() {
  const hub = new Hub({ url: "https://hub.example/prefix?x#y", user: { id: 9007199254740993n, login: "a+b" } });
  same(hub.address("api", { q: "a b", none: undefined }).href, "https://hub.example/prefix/api?user_id=9007199254740993&login=a%2Bb&q=a%20b");
  same(hub.webSocketAddress({ since: "1-0,2-0@x" }).protocol, "wss:");
  throws(() => new Hub({ url: "https://hub.example", user: { id: 2 ** 53, login: "a" } }), "a rounded id is refused");
  const secret = new Hub({ url: "http://hub.example", token: "secret" });
  isTrue(!secret.name.includes("secret"), "a token stands in no name");
  isTrue(secret.name !== new Hub({ url: "http://hub.example", token: "other" }).name, "two tokens share nothing");
}

export function itemsHaveOneForm() {
  const pushed = itemOf({ notification_id: "n", stream_id: "1-0", message: "m", status: "unread", read: false, archived: true, data: { big: 5n } });
  same([pushed.status, pushed.seen, pushed.archived, pushed.data.big], ["unread", false, true, 5n]);
  const listed = itemOf({ id: "n", notification_id: "n", stream_id: "1-0", status: "delivered", is_read: false, title: null, seen_at: "x", archived_at: null });
  same([listed.status, listed.seen, listed.archived, listed.title, listed.message], ["unread", true, false, undefined, ""]);
  same(itemOf({ notification_id: "n", stream_id: "1-0", status: "read" }).read, true);
  same(itemOf({ notification_id: "n", stream_id: "86400000-0" }).createdAt, "1970-01-02T00:00:00.000Z", "the time of its stream id");
  for (const wrong of [null, {}, { notification_id: "n" }, { notification_id: 5, stream_id: "1-0" }]) throws(() => itemOf(wrong), "no ids");
}
