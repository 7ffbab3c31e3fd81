// Tells the hub what users did, until it has confirmed. Only the tab that leads runs one.

import { HubProblem } from "./hub.js";

const pairsPerFrame = 100;
// A replay or a "read all" comes as a burst.
const gatherMs = 20;
const mostFlushed = 10;
const againMs = 1_000;
const longestAgainMs = 20_000;

export class Runner {
  #hub;
  #queue;
  #link;
  #deliver;
  /** Serials of reads that this connection was told. */
  #said = new Set();
  #timer;
  #isAsking = false;
  #failures = 0;

  /** @param {(frame: object) => void} deliver for all tabs */
  constructor(hub, queue, link, deliver) {
    this.#hub = hub;
    this.#queue = queue;
    this.#link = link;
    this.#deliver = deliver;
  }

  /** To be called when there is more to do, or a connection to do it with. */
  go() {
    this.#timer ??= setTimeout(() => this.#work(), gatherMs);
  }

  stop() {
    clearTimeout(this.#timer);
    // Not undefined: nothing starts it again.
    this.#timer = 0;
  }

  /** The page goes away: what the browser still takes with it, it sends. All of it is kept for the next page, too. */
  flush() {
    for (const { verb, id } of this.#queue.list().slice(0, mostFlushed)) {
      if (verb !== "read") continue;
      const path = `api/v1/notifications/${encodeURIComponent(id)}/read`;
      this.#hub.request(path, { method: "PUT", timeoutMs: 0 }).catch(() => {});
    }
  }

  /** To be called for each new connection: what has no answer is said again. */
  connected() {
    this.#said.clear();
    this.go();
  }

  /** An `error` frame that concerns a read. */
  refused({ code, notification_id: id, detail }) {
    const deed = this.#queue.list().find((known) => known.id === id && known.verb === "read");
    if (!deed) return;
    if (code === "not_found" || code === "gone") this.#settle(deed, { code, detail });
    else {
      this.#said.delete(deed.serial);
      this.#later();
    }
  }

  #work() {
    this.#timer = undefined;
    if (!this.#link.isLive) return;
    if (this.#link.say) this.#sayReads(this.#link.say);
    this.#ask();
  }

  #sayReads(say) {
    const reads = this.#queue.list().filter((deed) => this.#isSaid(deed) && !this.#said.has(deed.serial));
    for (let start = 0; start < reads.length; start += pairsPerFrame) {
      const some = reads.slice(start, start + pairsPerFrame);
      say({ type: "notification.read", data: some.map(({ id, streamId }) => ({ notification_id: id, stream_id: streamId })) });
      for (const { serial } of some) this.#said.add(serial);
    }
  }

  /** One request after the other, so that deeds arrive in their order. */
  async #ask() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      for (let deed = this.#next(); deed; deed = this.#next()) {
        const problem = await this.#request(deed);
        if (problem?.passes) return this.#later(problem.retryAfterMs);
        this.#failures = 0;
        this.#settle(deed, problem && { code: problem.code ?? "refused", detail: problem.message, status: problem.status });
      }
    } finally {
      this.#isAsking = false;
    }
    return undefined;
  }

  #next() {
    if (!this.#link.isLive) return undefined;
    return this.#queue.list().find((deed) => !this.#isSaid(deed));
  }

  /** Whether it goes as a frame; a frame needs both ids. */
  #isSaid({ verb, streamId }) {
    return verb === "read" && streamId !== undefined && this.#link.say !== undefined;
  }

  async #request({ verb, id, streamId, until, at }) {
    const path = `api/v1/notifications/${encodeURIComponent(id)}`;
    const bodies = { snooze: { until }, read: { read_at: new Date(at).toISOString() } };
    try {
      const answer =
        verb === "delete"
          ? await this.#hub.call(path, { method: "DELETE" })
          : await this.#hub.call(`${path}/${verb}`, { method: "PUT", body: bodies[verb] });
      // The same as devices are told, should that not come: a long poll has no frames.
      this.#deliver({
        type: "inbox.changed",
        data: {
          action: verb,
          notifications: [{ notification_id: id, stream_id: streamId, snoozed_until: until }],
          unread_count: answer.unread_count,
        },
      });
      return undefined;
    } catch (problem) {
      if (problem instanceof HubProblem) return problem;
      throw problem;
    }
  }

  #settle({ key, serial, verb, id }, problem) {
    this.#deliver({ type: "local.settled", data: { key, serial, verb, id, problem } });
  }

  #later(ms) {
    if (this.#timer !== undefined) return;
    this.#failures = Math.min(this.#failures + 1, 10);
    const pauseMs = ms ?? Math.min(longestAgainMs, againMs * 2 ** (this.#failures - 1)) * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.#work(), pauseMs);
  }
}
