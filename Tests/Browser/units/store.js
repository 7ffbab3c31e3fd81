// What a session knows, and what it tells.

import { framesOf } from "/sdk/reconcile.js";
import { deed, Queue } from "/sdk/queue.js";
import { Store } from "/sdk/store.js";
import { ack, change, FakeStorage, isTrue, push, ready, same } from "./check.js";

function session(storage) {
  const queue = new Queue("u", storage);
  const store = new Store(queue);
  const told = [];
  const hear = (...frames) => {
    for (const frame of frames) told.push(...store.apply(frame).map(({ type, detail }) => `${type} ${detail.action ?? ""}${detail.id ?? detail.items.map(({ id }) => id)}`));
    return told.splice(0);
  };
  const act = (verb, id, until) => {
    const done = deed(verb, store.known(id), until);
    queue.add(done);
    store.deedsChanged();
    return done;
  };
  return { queue, store, hear, act };
}

const open = { type: "local.open", data: {} };

export function replayThenLive() {
  const { store, hear } = session();
  same(hear(open, push(1), push(2, { read: true })), ["notification n1", "notification n2"]);
  same(String(store.positions), "", "a replay that has not ended is no position");
  hear(ready("2-0", 1));
  same([String(store.positions), store.unreadCount], ["2-0", 1]);
  same(hear(push(3)), ["notification n3"]);
  same([String(store.positions), store.unreadCount, store.items.map(({ id }) => id)], ["3-0", 2, ["n3", "n2", "n1"]]);
}

export function nothingIsToldTwice() {
  const { store, hear } = session();
  hear(open, push(1), ready("1-0", 1), push(2), ack(2));
  same(hear(ack(2)), [], "acks may repeat");
  same(hear(open, ack(2), push(1), push(2, { read: true }), push(3), ready("3-0", 2)), ["notification n3"], "a replay in full");
  same([store.items.length, store.unreadCount], [3, 2]);
  same(hear(ack(9)), ["read n9"], "one that was never shown is no error");
}

export function newerStatusWins() {
  const { store, hear } = session();
  // The read came while the replay, planned before it, was under way.
  hear(open, ack(1), push(1), ready("1-0", 0));
  same(store.unreadCount, 0);
  hear(push(2), ack(2));
  same(store.item("n2").status, "read");
  same(hear(open, push(2), ready("2-0", 2)), ["changed unreadn2"], "made unread again elsewhere");
  same(hear({ type: "notification.auto_cleared", data: { notification_id: "n2", stream_id: "2-0" } }), ["cleared n2"]);
  same(hear(push(2)), [], "what was cleared does not come back on this connection");
}

export function deedsShowAtOnceAndCountOnce() {
  const { store, queue, hear, act } = session();
  hear(open, push(1), push(2), ready("2-0", 2));
  act("read", "n1");
  same([store.unreadCount, store.item("n1").read, store.known("n1").read], [1, true, false]);
  same(hear(ack(1)), [], "pages heard of it already");
  same([store.unreadCount, queue.size], [1, 0]);
  act("archive", "n2");
  same(store.unreadCount, 0);
  same(hear(change("archive", [2], 0)), [], "the echo");
  act("delete", "n2");
  same(store.item("n2"), undefined);
  same(hear(change("delete", [2], 0)), []);
  same([store.items.length, queue.size], [1, 0]);
}

export function aReadThatWasTakenBackIsNotConfirmedByItsAck() {
  const { store, queue, hear, act } = session();
  hear(open, push(1), ready("1-0", 1));
  act("read", "n1");
  act("unread", "n1");
  same(queue.size, 1, "the last one counts");
  hear(ack(1));
  same([queue.size, store.item("n1").read, store.unreadCount], [1, false, 1]);
}

export function changesElsewhereAreTold() {
  const { store, hear } = session();
  hear(open, push(1), push(2), push(3), ready("3-0", 3));
  same(hear(change("read", [1], 2)), ["read n1"]);
  same(hear(change("snooze", [2], 1, { snoozed_until: "2999-01-01T00:00:00Z" })), ["changed snoozen2"]);
  same([store.unreadCount, store.item("n2").snoozedUntil], [1, "2999-01-01T00:00:00Z"]);
  same(hear(change("unsnooze", [2], 2)), ["changed unsnoozen2"]);
  same(hear(change("withdraw", [3], 1)), ["changed withdrawn3"]);
  same(hear(change("count", [], 7)), []);
  same(store.unreadCount, 7, "the hub's count is the truth");
  same(hear(change("archive", [99], 7)), [], "unknown ones are nobody's news");
}

export function whatIsFoundLaterIsNoNews() {
  const { store, hear } = session();
  hear(open, push(5), ready("5-0", 1));
  const told = [push(3, { read: true }), push(6)].flatMap((frame) => store.apply(frame));
  same(told.map(({ detail }) => [detail.id, detail.replayed]), [["n3", true], ["n6", false]]);
}

export function anotherEpochVoidsPositions() {
  const { store, hear } = session();
  hear(open, push(5), ready("5-0", 1, "old"));
  hear(open, push(5), push(3), ready("3-0", 2, "new"));
  same([String(store.positions), store.epoch], ["5-0", "new"], "what the new replay told");
  hear(open, ready("3-0", 2, "newer"));
  same(String(store.positions), "3-0", "nothing but what the newest epoch said");
}

export function topicsHavePositionsOfTheirOwn() {
  const { store, hear } = session();
  const of = (number, topic) => push(number, { stream_id: `${number}-0@${topic}` });
  hear(open, push(1), of(2, "orders"), ready("1-0", 2));
  same(String(store.positions), "1-0,2-0@orders");
  hear({ type: "session.ready", data: { unread_count: 2, last_stream_id: "1-0", topics: { orders: "4-0", "": "3-0" }, epoch: "e" } });
  same(String(store.positions), "1-0,4-0@orders,3-0@");
  hear(of(5, ""), of(6, "news"), push(7));
  same(String(store.positions), "7-0,4-0@orders,5-0@,6-0@news");
  same(store.items.map(({ topic }) => topic ?? null), [null, "news", "", "orders", null]);
}

export function whatCameToAChannelGoesWithTheSubscription() {
  const { store, hear, act } = session();
  const of = (number, topic) => push(number, { stream_id: `${number}-0@${topic}` });
  hear(open, push(1), of(2, "orders"), of(3, "news"), of(4, ""), ready("1-0", 4));
  act("read", "n2");
  const told = store.apply({ type: "subscribe.ack", data: { channels: ["news"] } });
  same(told.map(({ type, detail }) => [type, detail.action]), [["channels", undefined], ["changed", "delete"]]);
  same([store.items.map(({ id }) => id), store.unreadCount], [["n4", "n3", "n1"], 3]);
  same(hear(of(2, "orders")), [], "it does not come back on this connection");
  same(store.apply({ type: "subscribe.ack", data: { channels: [] } }).length, 2);
  same(store.apply({ type: "subscribe.ack", data: { channels: [] } }).length, 1, "nothing more to take away");
}

export function forgettingIsComplete() {
  const { store, queue, hear, act } = session();
  hear(open, push(1), ready("1-0", 1));
  act("read", "n1");
  same(hear({ type: "local.forget", data: {} }), ["changed reset"]);
  same([store.items.length, store.unreadCount, String(store.positions), store.epoch, queue.size], [0, 0, "", undefined, 0]);
}

export function deedsOutliveThePage() {
  const storage = new FakeStorage();
  const first = session(storage);
  first.hear(open, push(1), push(2), ready("2-0", 2));
  first.act("read", "n1");
  storage.setItem("carillon deed u broken", "{");
  storage.setItem("something else", "stays");
  const second = session(storage);
  same(second.queue.list().map(({ verb, id }) => `${verb} ${id}`), ["read n1"]);
  same(storage.getItem("carillon deed u broken"), null, "what cannot be read is thrown away");
  same(storage.getItem("something else"), "stays");
  second.hear(open, push(1), push(2), ready("2-0", 2));
  same(second.store.unreadCount, 1);
  second.hear(ack(1));
  same(storage.length, 1);
  same(session(new FakeStorage()).queue.size, 0);
}

export function deedsAreBounded() {
  const queue = new Queue("u", new FakeStorage());
  for (let number = 0; number < 1001; number += 1) queue.add(deed("read", { id: `n${number}`, streamId: "1-0" }));
  same(queue.size, 1000);
  isTrue(!queue.asks("read", "n0") && queue.asks("read", "n1"), "the oldest one goes");
}

export function anotherTabIsGivenEverything() {
  const leader = session();
  leader.hear(open, push(1), push(2), ready("2-0", 2));
  const late = session();
  const told = late.store.restore(structuredClone(leader.store.snapshot()));
  same(told.map(({ type, detail }) => [type, detail.id, detail.replayed]), [["notification", "n1", true], ["notification", "n2", true]]);
  same([late.store.unreadCount, String(late.store.positions), late.store.isReady], [2, "2-0", true]);
  leader.hear(push(3), ack(1), change("delete", [2], 1));
  same(late.store.restore(structuredClone(leader.store.snapshot())).map(({ type }) => type), ["read", "notification", "changed"]);
  same(late.store.items.map(({ id }) => id), ["n3", "n1"]);
}

export function aListTellsWhatWasMissed() {
  const { store, hear } = session();
  hear(open, push(1), push(2), push(3), push(4), ready("4-0", 4));
  const told = store.watch();
  const known = store.ids().map((id) => store.known(id));
  hear(ack(4), push(6));
  const row = (number, state) => ({ ...push(number).data, id: `n${number}`, status: "delivered", ...state });
  const rows = [row(5), row(4), row(3, { read: true, status: "read" }), row(1, { archived_at: "x" })];
  const frames = framesOf({ notifications: rows, unread_count: 2, has_more: false }, known, told);
  same(hear(...frames), ["changed archiven1", "read n3", "notification n5", "changed deleten2"]);
  same([store.item("n4").read, Boolean(store.item("n6")), store.unreadCount], [true, true, 2], "what was told since is newer");
  const shorter = framesOf({ notifications: [row(5)], unread_count: 2, has_more: true }, [store.known("n1")], new Set());
  same(shorter.filter(({ data }) => data.action === "delete"), [], "a page says nothing of what is older");
}
