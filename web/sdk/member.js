// One tab's part in the browser's session: its store, its place among the tabs, and the connection while it leads.

import { Link } from "./link.js";
import { Queue } from "./queue.js";
import { Runner } from "./runner.js";
import { Store } from "./store.js";
import { Tabs } from "./tabs.js";

export class Member {
  #hub;
  #options;
  #tell;
  #tabs;
  #link;
  #runner;
  #isWelcome = false;
  /** Tabs that are looked at, as far as the leader knows. */
  #visible = new Set();
  #pauseTimer;
  #shownCount = 0;
  #isClosed = false;
  #listeners = new AbortController();

  /**
   * @param {import("./hub.js").Hub} hub
   * @param {object} options see `connect`
   * @param {(type: string, detail: any) => void} tell the page
   */
  constructor(hub, options, tell) {
    this.#hub = hub;
    this.#options = options;
    this.#tell = tell;
    this.queue = new Queue(hub.name, storage());
    this.store = new Store(this.queue, options);
    this.status = { state: "connecting", leads: false };
    this.#tabs = new Tabs(hub.name, {
      lead: () => this.#lead(),
      follow: () => this.#follow(),
      hello: () => ({ visible: isVisible() }),
      welcome: () => ({ snapshot: this.store.snapshot(), status: this.status, deeds: this.queue.list() }),
      welcomed: (message) => this.#welcomed(message),
      heard: (message) => this.#heard(message),
    }, options);
    this.#watchPage();
    this.#tabs.join();
  }

  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listeners.abort();
    this.#stopLink();
    this.#tabs.leave();
    this.#setStatus({ state: "closed" });
  }

  /** Takes in what the user did, shows it in all tabs, and has the hub told. */
  add(deed) {
    this.#tabs.say({ kind: "deed", deed });
    this.#added(deed);
  }

  /** Takes in a frame that this tab has made itself, in all tabs. */
  deliver(frame) {
    this.#take(frame);
    this.#tabs.say({ kind: "frame", frame });
  }

  /** Tries again at once, where the connection waits. */
  retry() {
    if (this.#tabs.isLeading) this.#link.resume();
    else this.#tabs.say({ kind: "retry" });
  }

  // Leading and following

  #lead() {
    this.#isWelcome = true;
    this.queue.load();
    this.#visible = new Set(isVisible() ? [this.#tabs.id] : []);
    this.#link = new Link(this.#hub, this.store, {
      deliver: (frame) => this.deliver(frame),
      changed: (status) => this.#setStatus(status),
      patienceMs: this.#options.patienceMs,
    });
    this.#runner = new Runner(this.#hub, this.queue, this.#link, (frame) => this.deliver(frame));
    this.#link.start();
    this.#pauseWhenHidden();
  }

  #follow() {
    this.#stopLink();
    this.#setStatus({ state: "connecting" });
  }

  #stopLink() {
    clearTimeout(this.#pauseTimer);
    this.#link?.stop();
    this.#runner?.stop();
    this.#link = undefined;
    this.#runner = undefined;
  }

  #welcomed({ snapshot, status, deeds }) {
    this.#isWelcome = true;
    this.queue.load();
    // The leader may not have heard of some, where there is no storage.
    const known = new Set(deeds.map(({ serial }) => serial));
    for (const deed of this.queue.list()) if (!known.has(deed.serial)) this.#tabs.say({ kind: "deed", deed });
    for (const deed of deeds) this.queue.add(deed);
    for (const { type, detail } of this.store.restore(snapshot)) this.#tell(type, detail);
    this.#tellCount();
    this.#setStatus(status);
  }

  #heard({ kind, from, frame, status, deed, visible }) {
    if (kind === "frame" && this.#isWelcome) this.#take(frame);
    else if (kind === "deed") this.#added(deed);
    else if (kind === "status" && this.#isWelcome && !this.#tabs.isLeading) this.#setStatus(status);
    if (!this.#tabs.isLeading) return;
    if (kind === "retry") this.#link.resume();
    else if (kind === "hello" || kind === "visible" || kind === "bye") this.#tabIsVisible(from, kind !== "bye" && visible);
  }

  // What comes

  #take(frame) {
    for (const { type, detail } of this.store.apply(frame)) this.#tell(type, detail);
    this.#tellCount();
    const { type, data } = frame;
    if (type === "local.problem") this.#tell("problem", data);
    else if (type === "local.settled") this.#settled(data);
    else if (type === "error") {
      if (data.type === "notification.read") this.#runner?.refused(data);
      // It is said again by itself.
      if (data.code !== "unavailable") this.#tell("problem", data);
    }
    this.#options.frame?.(frame);
  }

  #settled({ key, serial, verb, problem }) {
    this.queue.remove({ key, serial });
    this.store.deedsChanged();
    if (problem) {
      this.#tell("problem", { ...problem, verb });
      // What the page showed at once has not come true.
      this.#tell("changed", { action: "reset", items: [] });
    }
    this.#tellCount();
  }

  #added(deed) {
    const before = this.store.item(deed.id);
    this.queue.add(deed);
    this.store.deedsChanged();
    this.#runner?.go();
    const item = this.store.item(deed.id) ?? before;
    const detail = { id: deed.id, streamId: deed.streamId, item };
    if (deed.verb !== "read") this.#tell("changed", { action: deed.verb, items: [detail] });
    else if (!before?.read) this.#tell("read", detail);
    this.#tellCount();
  }

  #tellCount() {
    const count = this.store.unreadCount;
    if (count === this.#shownCount) return;
    this.#shownCount = count;
    this.#tell("count", count);
  }

  #setStatus(status) {
    this.status = Object.freeze({ ...status, leads: this.#tabs.isLeading });
    if (this.#tabs.isLeading) this.#tabs.say({ kind: "status", status });
    if (status.state === "live") this.#runner?.connected();
    this.#tell("status", this.status);
  }

  // Hidden tabs

  #watchPage() {
    const { signal } = this.#listeners;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged(), { signal });
    addEventListener("online", () => this.#tabs.isLeading && this.#link.renew(), { signal });
    // A page that the browser keeps for "back" must not hold the connection of the others.
    addEventListener("pagehide", ({ persisted }) => this.#leavePage(persisted), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.#tabs.join(), { signal });
  }

  #leavePage(isKept) {
    this.#runner?.flush();
    if (!isKept) return;
    this.#stopLink();
    this.#tabs.leave();
    this.#setStatus({ state: "paused" });
  }

  #visibilityChanged() {
    if (this.#tabs.isLeading) this.#tabIsVisible(this.#tabs.id, isVisible());
    else if (isVisible()) this.#tabs.greet();
    else this.#tabs.say({ kind: "visible", visible: false });
  }

  #tabIsVisible(tab, visible) {
    if (visible) this.#visible.add(tab);
    else this.#visible.delete(tab);
    this.#pauseWhenHidden();
  }

  #pauseWhenHidden() {
    clearTimeout(this.#pauseTimer);
    const { pauseHiddenMs } = this.#options;
    if (this.#visible.size) this.#link?.resume();
    else if (pauseHiddenMs !== undefined) this.#pauseTimer = setTimeout(() => this.#link?.pause(), pauseHiddenMs);
  }
}

const isVisible = () => document.visibilityState === "visible";

/** Browsers may forbid it. */
function storage() {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
