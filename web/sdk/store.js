// What a session knows: the notifications and the unread count as the hub sees them, with the user's own deeds laid over them
// until the hub has confirmed. It has no I/O. Every tab has one, and all are fed with the same frames in the same order.

import { compareStreamIds } from "./ids.js";
import { changed, counts, itemOf } from "./item.js";
import { Positions } from "./positions.js";
import { stateAfter } from "./queue.js";

const mostItems = 2000;
/** Actions after which a notification is no longer there. */
const removals = new Set(["delete", "withdraw", "collapse"]);

/** @typedef {{type: string, detail: any}} Happening what listeners are told */

export class Store {
  /** As the hub sees them, by notification id. */
  #items = new Map();
  #count = 0;
  #queue;
  #hasBeenReady = false;
  #isReplaying = false;
  /** Where the replay stands. It counts once it has ended; a broken one is begun anew. */
  #replayed = new Positions();
  /** Whose state was told on this connection. A push that the replay had planned before that is older news. */
  #told = new Set();
  #watchers = new Set();
  #sorted;

  constructor(queue, { since, epoch } = {}) {
    this.#queue = queue;
    this.positions = new Positions(since);
    this.epoch = epoch;
  }

  get isReady() {
    return this.#hasBeenReady;
  }

  /** All notifications with the user's deeds applied, newest first, archived and snoozed ones too. */
  get items() {
    this.#sorted ??= [...this.#items.values()]
      .map((item) => this.#queue.applied(item))
      .filter(Boolean)
      .sort((a, b) => compareStreamIds(b.streamId, a.streamId));
    return this.#sorted;
  }

  /** One of them, or undefined. */
  item(id) {
    const item = this.#items.get(id);
    return item && this.#queue.applied(item);
  }

  /** As the hub sees it. */
  known(id) {
    return this.#items.get(id);
  }

  ids() {
    return [...this.#items.keys()];
  }

  /** The hub's count, corrected by what it has not heard from us yet. */
  get unreadCount() {
    let count = this.#count;
    for (const { id } of new Map(this.#queue.list().map((deed) => [deed.id, deed])).values()) {
      const item = this.#items.get(id);
      if (!item) continue;
      const applied = this.#queue.applied(item);
      count += Number(Boolean(applied && counts(applied))) - Number(counts(item));
    }
    return Math.max(0, count);
  }

  /** To be called when the queue changed. */
  deedsChanged() {
    this.#sorted = undefined;
  }

  /** A set that collects from now on whose state was told, until `unwatch`. */
  watch() {
    const told = new Set();
    this.#watchers.add(told);
    return told;
  }

  unwatch(told) {
    this.#watchers.delete(told);
  }

  /**
   * Takes in a frame of the hub, or one of those that leader tabs make themselves (`local.…`).
   * @returns {Happening[]}
   */
  apply({ type, data }) {
    this.#sorted = undefined;
    switch (type) {
      case "local.open":
        this.#isReplaying = true;
        this.#replayed = new Positions();
        this.#told.clear();
        return [];
      case "local.forget":
        return this.#forget();
      case "notification.push":
        return this.#pushed(itemOf(data));
      case "notification.read.ack":
        return this.#wasRead(data);
      case "notification.auto_cleared":
        return this.#cleared(data);
      case "inbox.changed":
        return this.#inboxChanged(data);
      case "subscribe.ack":
        return this.#subscribed(data);
      case "session.ready":
        return this.#becameReady(data);
      default:
        return [];
    }
  }

  /** Adds what a page of the history shows; silent, since nothing has happened. */
  addHistory(items) {
    this.#sorted = undefined;
    for (const item of items) {
      if (!this.#items.has(item.id)) this.#items.set(item.id, item);
    }
  }

  // What is given to a tab that comes later

  snapshot() {
    return {
      items: [...this.#items.values()],
      count: this.#count,
      positions: this.positions.toString(),
      epoch: this.epoch,
      isReady: this.#hasBeenReady,
      isReplaying: this.#isReplaying,
    };
  }

  /** @returns {Happening[]} what is new to this tab */
  restore({ items, count, positions, epoch, isReady, isReplaying }) {
    this.#sorted = undefined;
    const happenings = [];
    const before = this.#items;
    this.#items = new Map(items.map((item) => [item.id, Object.freeze(item)]));
    for (const item of this.#items.values()) {
      const old = before.get(item.id);
      if (!old) happenings.push(this.#news(item, this.#hasBeenReady && !this.positions.covers(item.streamId)));
      else if (!old.read && item.read) happenings.push({ type: "read", detail: this.#reference(item) });
      else if (!isSame(old, item)) happenings.push(this.#change("count", [item]));
    }
    // While the leader is still being replayed, it does not have everything.
    if (isReady && !isReplaying) {
      const gone = [...before.values()].filter((item) => !this.#items.has(item.id));
      if (gone.length) happenings.push(this.#change("delete", gone));
    } else {
      for (const item of before.values()) if (!this.#items.has(item.id)) this.#items.set(item.id, item);
    }
    this.#isReplaying = isReplaying;
    if (!isReady) return happenings;
    this.#count = count;
    this.positions = new Positions(positions);
    this.epoch = epoch;
    this.#hasBeenReady = true;
    return happenings;
  }

  // Frames

  #pushed(item) {
    const old = this.#items.get(item.id);
    const isOldNews = this.#told.has(item.id);
    const isNew = this.#hasBeenReady && !this.positions.covers(item.streamId);
    (this.#isReplaying ? this.#replayed : this.positions).advance(item.streamId);
    if (item.status === "auto_cleared") return this.#cleared({ notification_id: item.id, stream_id: item.streamId });
    if (item.read) this.#queue.wasRead(item.id);
    if (!old) {
      // It was removed on this very connection.
      if (isOldNews) return [];
      this.#put(item);
      if (!this.#isReplaying) this.#count += Number(counts(item));
      return [this.#news(item, isNew)];
    }
    if (isOldNews || isSame(old, item)) return [];
    this.#put(item);
    return !old.read && item.read
      ? [{ type: "read", detail: this.#reference(item) }]
      : [this.#change(item.read || !old.read ? "count" : "unread", [item])];
  }

  #news(item, isNew) {
    const applied = this.#queue.applied(item) ?? item;
    return { type: "notification", detail: Object.freeze({ ...applied, replayed: !isNew }) };
  }

  #wasRead({ notification_id: id, stream_id: streamId }) {
    this.#tell(id);
    const wasAsked = this.#queue.wasRead(id);
    const old = this.#items.get(id);
    if (old?.read) return [];
    if (old) {
      if (!this.#isReplaying) this.#count = Math.max(0, this.#count - Number(counts(old)));
      this.#put(changed(old, { read: true, seen: true }));
    }
    // Pages heard of it when the user did it.
    return wasAsked ? [] : [{ type: "read", detail: this.#reference({ id, streamId }) }];
  }

  #cleared({ notification_id: id, stream_id: streamId }) {
    const old = this.#items.get(id);
    this.#tell(id);
    this.#queue.isGone(id);
    if (old && !this.#isReplaying) this.#count = Math.max(0, this.#count - Number(counts(old)));
    this.#items.delete(id);
    return [{ type: "cleared", detail: { id, streamId, item: old } }];
  }

  #inboxChanged({ action, notifications = [], unread_count: count, snoozed_until: until }) {
    const news = notifications
      .filter(({ notification_id: id, snoozed_until: ownUntil }) => this.#tookIn(action, id, ownUntil ?? until))
      .map(({ notification_id: id, stream_id: streamId }) => ({ id, streamId, item: this.item(id) }));
    if (typeof count === "number") this.#count = count;
    if (!news.length) return [];
    if (action === "read") return news.map((detail) => ({ type: "read", detail }));
    return [{ type: "changed", detail: { action, items: news } }];
  }

  /** Whether a change is news to pages: no echo of what the user did here, nor of what was told already. */
  #tookIn(action, id, until) {
    const old = this.#items.get(id);
    const wasAsked = this.#queue.asks(action, id);
    this.#tell(id);
    if (removals.has(action)) {
      this.#queue.isGone(id);
      return this.#items.delete(id) && !wasAsked;
    }
    if (action === "read") this.#queue.wasRead(id);
    if (!old) return false;
    const next = changed(old, stateAfter({ verb: action, until }));
    this.#put(next);
    return !isSame(old, next) && !wasAsked;
  }

  /** What came to a channel is the user's as long as he listens to it. */
  #subscribed({ channels }) {
    const gone = [...this.#items.values()].filter(({ topic }) => topic && !channels.includes(topic));
    for (const item of gone) {
      this.#items.delete(item.id);
      this.#tell(item.id);
      this.#queue.isGone(item.id);
      if (!this.#isReplaying) this.#count = Math.max(0, this.#count - Number(counts(item)));
    }
    const happenings = [{ type: "channels", detail: channels }];
    if (gone.length) happenings.push(this.#change("delete", gone));
    return happenings;
  }

  #becameReady({ unread_count: count, last_stream_id: last, topics = {}, epoch }) {
    // Positions of another epoch mean nothing in this one.
    if (this.epoch !== undefined && epoch !== this.epoch) this.positions = new Positions();
    this.epoch = epoch;
    this.positions.advance(this.#replayed.toString());
    if (last) this.positions.advance(last);
    for (const [topic, id] of Object.entries(topics)) this.positions.advance(`${id}@${topic}`);
    if (typeof count === "number") this.#count = count;
    this.#isReplaying = false;
    this.#hasBeenReady = true;
    return [];
  }

  #forget() {
    this.#items.clear();
    this.#queue.clear();
    this.#count = 0;
    this.positions = new Positions();
    this.#replayed = new Positions();
    this.epoch = undefined;
    this.#hasBeenReady = false;
    return [{ type: "changed", detail: { action: "reset", items: [] } }];
  }

  // Small things

  #put(item) {
    this.#items.set(item.id, item);
    if (this.#items.size > mostItems) this.#items.delete(this.#items.keys().next().value);
  }

  #tell(id) {
    this.#told.add(id);
    for (const told of this.#watchers) told.add(id);
  }

  #reference({ id, streamId }) {
    return { id, streamId, item: this.item(id) };
  }

  #change(action, items) {
    return { type: "changed", detail: { action, items: items.map(({ id, streamId }) => ({ id, streamId, item: this.item(id) })) } };
  }
}

/** Whether two views of one notification show the same state. */
export function isSame(a, b) {
  return a.read === b.read && a.seen === b.seen && a.archived === b.archived && a.snoozedUntil === b.snoozedUntil;
}
