// Carillon in a page: one import, no build step.
//
//   import { connect } from "https://hub.example/carillon.js";
//   const session = connect({ user: { id: 1, login: "alice" } });
//   session.on("notification", (item) => console.log(item.title, item.message));
//   session.on("count", (unread) => (document.title = `(${unread}) Shop`));
//
// docs/WEB.md has everything else. How it works is in sdk/: start with member.js.

import { Hub } from "./sdk/hub.js";
import { counts, itemOf } from "./sdk/item.js";
import { Member } from "./sdk/member.js";
import { deed } from "./sdk/queue.js";

export { HubProblem } from "./sdk/hub.js";

/** @typedef {import("./sdk/item.js").Item} Item */

/**
 * @typedef {object} Options
 * @property {string | URL} [url] of the hub; by default the folder that this module was loaded from
 * @property {import("./sdk/hub.js").User} [user] ids beyond 2^53 as BigInt or text
 * @property {string} [token] for the proxy in front of the hub that knows users: `Authorization`, and `token` in the query of `/ws`
 * @property {string} [since] the last stream id that the page has; several separated by commas. Without it the session begins
 *   with the user's latest notifications
 * @property {string} [epoch] the one that came with it
 * @property {string[]} [channels] to subscribe the user to
 * @property {boolean} [share] `false`: a connection of its own instead of one for all tabs
 * @property {number} [pauseHiddenMs] after this time without a visible tab the connection is let go; by default 5 minutes.
 *   `Infinity`: never
 * @property {number} [patienceMs] silence after which another way is tried; by default 6 s
 */

/**
 * Opens a session of a user. It connects, comes back, and shares its connection with other tabs by itself.
 * @param {Options} options
 * @returns {Session}
 */
export function connect(options) {
  return new Session(options);
}

/**
 * Events, each with its `detail`:
 * - `notification`: an `Item` with `replayed`, true for what was there before the session began
 * - `read`: `{ id, streamId, item? }`, read here, in another tab or on another device
 * - `count`: the number of unread notifications
 * - `changed`: `{ action, items: { id, streamId, item? }[] }`; `action` is a verb (`unread`, `seen`, `archive`, `unarchive`,
 *   `snooze`, `unsnooze`, `delete`), `withdraw` or `collapse` by the sender, or `reset`: look at `items` anew
 * - `cleared`: `{ id, streamId, item? }`, it has expired unread
 * - `channels`: all channels that the user is subscribed to, after a change
 * - `status`: `{ state, leads, transport?, reason?, retryAt?, problem? }`; `state` is `connecting`, `live`, `waiting`,
 *   `paused`, `refused` (it does not come back; `problem` says why) or `closed`
 * - `problem`: `{ code, detail }`, something went wrong that the session goes on after
 */
export class Session extends EventTarget {
  #hub;
  #member;
  #promises = new Map();
  #becomesReady;
  #isReady = false;
  /** What this page wants the user to be subscribed to, and whether the hub was told. */
  #channels;
  #isSubscribed;

  /** @param {Options} options */
  constructor(options) {
    super();
    const { url = new URL(".", import.meta.url), user, token, channels = [] } = options;
    const { since, epoch, share, pauseHiddenMs = 300_000, patienceMs = 6_000 } = options;
    if (!token && (user?.id === undefined || !user.login)) {
      throw new TypeError("connect needs a user with id and login, or a token");
    }
    /** Settles with the first complete state, or when the hub refuses the user. @type {Promise<Session>} */
    this.ready = new Promise((resolve, reject) => (this.#becomesReady = { resolve, reject }));
    this.ready.catch(() => {});
    this.#channels = new Set(channels);
    this.#isSubscribed = !channels.length;
    this.#hub = new Hub({ url, user, token });
    const settings = {
      since,
      epoch,
      share,
      patienceMs,
      // Timers go no further.
      pauseHiddenMs: pauseHiddenMs <= 2 ** 31 - 1 ? pauseHiddenMs : undefined,
      frame: (frame) => this.#heard(frame),
    };
    this.#member = new Member(this.#hub, settings, (type, detail) => this.#tell(type, detail));
  }

  /** Calls `listener(detail, event)` for each event of a type. @returns {() => void} ends that */
  on(type, listener) {
    const heard = (event) => listener(event.detail, event);
    this.addEventListener(type, heard);
    return () => this.removeEventListener(type, heard);
  }

  /** What is known, newest first, archived and snoozed ones too. @type {Item[]} */
  get items() {
    return this.#member.store.items;
  }

  get unreadCount() {
    return this.#member.store.unreadCount;
  }

  get status() {
    return this.#member.status;
  }

  /** Where the session stands, for another `connect`. */
  get position() {
    const { positions, epoch } = this.#member.store;
    return { since: positions.toString() || undefined, epoch };
  }

  // What users do. All take an `Item` or its id, show at once in every tab, and are said until the hub has confirmed: then the
  // promise is fulfilled. It fails where the hub refuses. Nobody has to wait for it.

  markRead(item) {
    return this.#do("read", item);
  }

  markUnread(item) {
    return this.#do("unread", item);
  }

  /** It was on the screen, and not opened. */
  markSeen(item) {
    return this.#do("seen", item);
  }

  archive(item) {
    return this.#do("archive", item);
  }

  unarchive(item) {
    return this.#do("unarchive", item);
  }

  /** Hides it until a time: a `Date`, milliseconds, or RFC 3339; at most 15 days ahead. */
  snooze(item, until) {
    return this.#do("snooze", item, new Date(until).toISOString());
  }

  unsnooze(item) {
    return this.#do("unsnooze", item);
  }

  /** Removes it for good. */
  remove(item) {
    return this.#do("delete", item);
  }

  /**
   * Reads all that is not hidden, or what `filter` leaves of it. While the hub is away, what the session knows is read.
   * @param {{type?: string | string[], channel?: string | string[]}} filter
   */
  async markAllRead({ type, channel } = {}) {
    try {
      const parameters = { notification_type: listText(type), channel: listText(channel) };
      const answer = await this.#hub.call("api/v1/notifications/read-all", { method: "PUT", parameters });
      const items = this.#matching(type, channel);
      for (let start = 0; start < items.length || start === 0; start += 100) {
        this.#wereRead(items.slice(start, start + 100), answer.unread_count);
      }
    } catch (problem) {
      if (!problem.passes && problem.status !== 404) throw problem;
      for (const item of this.#matching(type, channel)) this.markRead(item);
    }
  }

  /** All of it was on the screen. Not said again where it does not get through. */
  async markAllSeen() {
    await this.#hub.call("api/v1/notifications/seen-all", { method: "PUT" });
  }

  /**
   * A page of the list, newest first. What it holds is in `items` from then on.
   * @param {object} [query]
   * @param {number} [query.limit] 1 to 100
   * @param {string} [query.cursor] `nextCursor` of the page before
   * @param {boolean} [query.unreadOnly]
   * @param {boolean | "any"} [query.archived]
   * @param {boolean | "any"} [query.snoozed]
   * @param {string | string[]} [query.type]
   * @param {string | string[]} [query.channel]
   * @param {string} [query.from] RFC 3339
   * @param {string} [query.to]
   * @param {string} [query.search] a part of title or message
   * @returns {Promise<{items: Item[], total: number, unreadCount: number, hasMore: boolean, nextCursor?: string}>}
   */
  async history({ limit, cursor, unreadOnly, archived, snoozed, type, channel, from, to, search } = {}) {
    const lists = { notification_type: listText(type), channel: listText(channel) };
    const parameters = { limit, cursor, unread_only: unreadOnly, archived, snoozed, from, to, q: search, ...lists };
    const page = await this.#hub.call("api/v1/notifications", { parameters });
    const items = page.notifications.map(itemOf);
    const { store } = this.#member;
    store.addHistory(items);
    return {
      items: items.map((item) => store.item(item.id)).filter(Boolean),
      total: page.total,
      unreadCount: page.unread_count,
      hasMore: page.has_more,
      nextCursor: page.next_cursor ?? undefined,
    };
  }

  /** Sets for how many days the user's notifications are kept, 1 to 15. */
  async setRetention(days) {
    await this.#hub.call("api/v1/notifications/retention", { method: "PUT", body: { days } });
  }

  /** For how many days they are kept. @returns {Promise<number>} */
  async retention() {
    return (await this.#hub.call("api/v1/notifications/retention")).days;
  }

  /** Subscribes the user, on all devices, to one or more channels: what comes to them from then on is his. */
  async subscribe(channels) {
    for (const channel of [channels].flat()) {
      await this.#channel("PUT", channel);
      this.#channels.add(channel);
    }
  }

  async unsubscribe(channels) {
    for (const channel of [channels].flat()) {
      this.#channels.delete(channel);
      await this.#channel("DELETE", channel);
    }
  }

  /** The channels that the user is subscribed to. */
  async channels() {
    return (await this.#hub.call("api/v1/notifications/channels")).channels;
  }

  /** Tries again at once, where it is waiting. */
  retry() {
    this.#member.retry();
  }

  /** Ends it. What the hub has not confirmed is said by the next session. */
  close() {
    this.#member.close();
  }

  // Inside

  #tell(type, detail) {
    if (type === "status") this.#statusChanged(detail);
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #statusChanged({ state, problem }) {
    if (state === "refused") this.#becomesReady.reject(new Error(problem.detail ?? problem.title));
    // While it is let go of, subscriptions may run out.
    if (state === "paused") this.#isSubscribed = !this.#channels.size;
    if (state !== "live") return;
    if (!this.#isSubscribed) this.#subscribeAgain();
    if (this.#isReady) return;
    this.#isReady = true;
    this.#becomesReady.resolve(this);
  }

  /** Each tab sees to the channels of its page; a subscription that is there stays as it is. */
  async #subscribeAgain() {
    this.#isSubscribed = true;
    try {
      await this.subscribe([...this.#channels]);
    } catch (error) {
      this.#isSubscribed = false;
      this.#tell("problem", { code: "not_subscribed", detail: error.message });
    }
  }

  #do(verb, item, until) {
    const id = typeof item === "string" ? item : item.id;
    const known = this.#member.store.item(id);
    const done = deed(verb, { id, streamId: known?.streamId ?? item.streamId }, until);
    const promise = new Promise((resolve, reject) => this.#promises.set(done.serial, { resolve, reject }));
    // Nobody has to listen.
    promise.catch(() => {});
    this.#member.add(done);
    return promise;
  }

  /** Settles promises by what comes, whichever tab it came to. */
  #heard({ type, data }) {
    if (type === "local.settled") this.#settle(data.serial, data.problem);
    // So are subscriptions.
    if (type === "local.forget") this.#isSubscribed = !this.#channels.size;
    const lost = type === "local.forget" ? { detail: "the hub has lost what it knew" } : undefined;
    for (const serial of this.#promises.keys()) if (!this.#member.queue.holds(serial)) this.#settle(serial, lost);
  }

  #settle(serial, problem) {
    const promise = this.#promises.get(serial);
    this.#promises.delete(serial);
    if (problem) promise?.reject(Object.assign(new Error(problem.detail), problem));
    else promise?.resolve();
  }

  #matching(type, channel) {
    const fits = (value, wanted) => wanted === undefined || [wanted].flat().includes(value);
    return this.items.filter((item) => counts(item) && fits(item.type, type) && fits(item.channel, channel));
  }

  #wereRead(items, unread) {
    const notifications = items.map(({ id, streamId }) => ({ notification_id: id, stream_id: streamId }));
    this.#member.deliver({ type: "inbox.changed", data: { action: "read", notifications, unread_count: unread } });
  }

  async #channel(method, channel) {
    const { channels } = await this.#hub.call(`api/v1/notifications/channels/${encodeURIComponent(channel)}`, { method });
    // What devices are told. Where they are, an answer may be older than what they have heard.
    if (this.status.transport === "poll") this.#member.deliver({ type: "subscribe.ack", data: { channels } });
  }
}

const listText = (value) => (value === undefined ? undefined : [value].flat().join(","));
