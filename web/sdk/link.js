// The browser's one connection to the hub, kept up: which way it takes, when it comes back, and what it asks for then. Only the
// tab that leads runs one.

import { Backoff } from "./backoff.js";
import { problemOf } from "./hub.js";
import { framesOf } from "./reconcile.js";
import { runEventStream } from "./transport-sse.js";
import { runPoll, wholeList } from "./transport-poll.js";
import { runWebSocket } from "./transport-websocket.js";

/** From the best way to the one that gets through everywhere. */
const ways = [
  { name: "websocket", run: runWebSocket },
  { name: "sse", run: runEventStream },
  { name: "poll", run: runPoll },
];
// A WebSocket that fails twice while the hub answers otherwise is taken for blocked.
const failuresUntilBlocked = 2;
// Networks change: after this time the best way is tried again, when the connection ends anyway.
const climbMs = 10 * 60_000;
// Devices of a lost server do not all ask for their lists at once.
const lookAgainMs = 2_000;

export class Link {
  #hub;
  #store;
  #deliver;
  #changed;
  #patienceMs;
  #backoff = new Backoff();
  #way = 0;
  #wentDownAt = 0;
  #failures = 0;
  #say;
  #isLive = false;
  #isPaused = false;
  #stopped = new AbortController();
  #connection = new AbortController();
  #wake = () => {};

  /**
   * @param {import("./hub.js").Hub} hub
   * @param {import("./store.js").Store} store of this tab
   * @param {object} context
   * @param {(frame: object) => void} context.deliver for all tabs
   * @param {(status: object) => void} context.changed for all tabs
   * @param {number} context.patienceMs
   */
  constructor(hub, store, { deliver, changed, patienceMs }) {
    this.#hub = hub;
    this.#store = store;
    this.#deliver = deliver;
    this.#changed = changed;
    this.#patienceMs = patienceMs;
  }

  get isLive() {
    return this.#isLive;
  }

  /** Sends a frame, where the way in use takes any; undefined otherwise. */
  get say() {
    return this.#isLive ? this.#say : undefined;
  }

  async start() {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      if (this.#isPaused) {
        this.#changed({ state: "paused" });
        await this.#sleep();
        continue;
      }
      const end = await this.#connect(signal);
      this.#isLive = false;
      this.#say = undefined;
      if (signal.aborted) return;
      if (this.#isPaused) continue;
      if (end.refused) return this.#changed({ state: "refused", reason: end.reason, problem: end.refused });
      if (end.forget) this.#deliver({ type: "local.forget", data: {} });
      if (end.blocked) {
        // The next way is tried at once: the hub is there.
        if (this.#goDown(end)) continue;
      }
      const pauseMs = this.#backoff.next(end);
      this.#changed({ state: "waiting", reason: end.reason, code: end.code, retryAt: Date.now() + pauseMs });
      await this.#sleep(pauseMs);
    }
  }

  stop() {
    this.#stopped.abort();
    this.#connection.abort();
    this.#wake();
  }

  /** Lets go of the connection until `resume`. */
  pause() {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#connection.abort();
    this.#wake();
  }

  /** Goes on, and tries at once where it is waiting. */
  resume() {
    this.#isPaused = false;
    this.#wake();
  }

  /** Begins anew with a connection that may be dead without the browser knowing. */
  renew() {
    if (this.#isLive) this.#connection.abort();
    this.#wake();
  }

  // One connection

  async #connect(signal) {
    if (this.#way && Date.now() - this.#wentDownAt > climbMs) this.#way = 0;
    const way = ways[this.#way];
    const connection = new AbortController();
    this.#connection = connection;
    this.#changed({ state: "connecting", transport: way.name });
    const { positions, epoch } = this.#store;
    const since = positions.toString();
    // What was known before may have changed while nobody told us.
    const isResumed = this.#store.isReady;
    const context = {
      parameters: { since, epoch: since && epoch, unread_count: true },
      patienceMs: this.#patienceMs,
      signal: AbortSignal.any([signal, connection.signal]),
      opened: (say) => {
        this.#say = say;
        this.#deliver({ type: "local.open", data: {} });
      },
      heard: (frame) => connection === this.#connection && this.#heard(frame, way, isResumed),
      garbled: (detail) => this.#problem("malformed_frame", detail),
      isStuck: async () => !signal.aborted && (await this.#probe()) === undefined,
      asking: () => ({ told: this.#store.watch(), ids: this.#store.ids() }),
      listed: (list, before) => this.#listed(list, before, way),
    };
    // Browsers throw where a page may not even try, as with ws: in a page over https.
    const end = await way.run(this.#hub, context).catch((error) => ({ reason: error.message, neverOpened: true }));
    connection.abort();
    return end.neverOpened ? this.#failed(end, signal) : end;
  }

  /** Nothing came about: is the hub away, does it not want us, or is only this way blocked? */
  async #failed(end, signal) {
    const answer = await this.#probe();
    if (signal.aborted) return end;
    if (answer) return { ...answer, reason: answer.reason ?? end.reason };
    this.#failures += 1;
    return this.#failures < failuresUntilBlocked ? end : { ...end, blocked: true };
  }

  /**
   * Asks for the unread count.
   * @returns {Promise<object | undefined>} undefined where that works, else what the answer means for a connection
   */
  async #probe() {
    try {
      const response = await this.#hub.request("api/v1/notifications/unread-count", { signal: this.#stopped.signal });
      if (response.ok) return undefined;
      // A hub without this call judges nobody by it.
      if (response.status === 404 || response.status === 405) return { reason: "the hub has no inbox over HTTP" };
      return (await problemOf(response)).meaning;
    } catch (problem) {
      return { reason: problem.message };
    }
  }

  #goDown(end) {
    this.#failures = 0;
    if (this.#way === ways.length - 1) return false;
    this.#way += 1;
    this.#wentDownAt = Date.now();
    this.#problem("transport_blocked", `${end.reason}; trying ${ways[this.#way].name}`);
    return true;
  }

  // What comes

  #heard(frame, way, isResumed) {
    if (typeof frame?.type !== "string") return this.#problem("malformed_frame", "a frame without a type");
    try {
      this.#deliver(frame);
    } catch (error) {
      return this.#problem("malformed_frame", `${frame.type}: ${error.message}`);
    }
    if (frame.type !== "session.ready") return undefined;
    if (frame.data?.protocol !== undefined && frame.data.protocol !== 1) {
      this.#problem("unknown_protocol", `the hub speaks protocol ${frame.data.protocol}, this page speaks 1`);
    }
    if (isResumed) this.#lookAgain(this.#connection.signal);
    return this.#live(way);
  }

  #listed(list, { told, ids }, way) {
    this.#store.unwatch(told);
    const isFirst = !this.#isLive;
    const known = ids.map((id) => this.#store.known(id)).filter(Boolean);
    for (const frame of framesOf(list, known, told)) this.#deliver(frame);
    if (!isFirst) return;
    const last = list.notifications[0]?.stream_id;
    const { epoch } = this.#store;
    this.#deliver({ type: "session.ready", data: { unread_count: list.unread_count, last_stream_id: last, epoch } });
    this.#live(way);
  }

  #live(way) {
    this.#backoff.reset();
    this.#failures = 0;
    this.#isLive = true;
    this.#changed({ state: "live", transport: way.name });
  }

  /** A resumed replay tells what is new, and what was read meanwhile; the list tells the rest: archived, snoozed, removed. */
  async #lookAgain(signal) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * lookAgainMs));
    if (signal.aborted) return;
    const told = this.#store.watch();
    const ids = this.#store.ids();
    try {
      const list = await this.#hub.call("api/v1/notifications", { parameters: wholeList, signal });
      if (signal.aborted) return;
      const known = ids.map((id) => this.#store.known(id)).filter(Boolean);
      for (const frame of framesOf(list, known, told)) this.#deliver(frame);
    } catch {
      // It is a second look only.
    } finally {
      this.#store.unwatch(told);
    }
  }

  #problem(code, detail) {
    this.#deliver({ type: "local.problem", data: { code, detail } });
  }

  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
