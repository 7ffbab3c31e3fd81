// All tabs of a browser that show one user share one connection. The tab that holds a Web Lock leads: it has the connection, and
// tells the others over a BroadcastChannel what it hears. The browser frees the lock when that tab is closed, crashes or
// navigates, and the next one in the queue takes over; it goes on where it was told last.
//
// Chromium does not freeze pages that hold a lock. A leader that is stuck all the same does not answer, and is deposed.
//
// Where there are no Web Locks (pages over plain HTTP from another machine), each tab leads for itself.

const answerMs = 5_000;

/** A message: `{ kind, from, to?, … }`. Those of this class are `hello`, `leads` and `welcome`; the rest is passed on. */
export class Tabs {
  id = crypto.getRandomValues(new Uint32Array(3)).join("-");
  #name;
  #channel;
  #callbacks;
  #left;
  #leading = false;
  #release;
  #timer;

  /**
   * @param {string} name the same for all who shall share
   * @param {object} callbacks
   * @param {() => void} callbacks.lead this tab has the connection from now on
   * @param {() => void} callbacks.follow it was deposed
   * @param {() => object} callbacks.welcome what a leader gives to a tab that has come
   * @param {(message: object) => void} callbacks.welcomed
   * @param {() => object} callbacks.hello what a tab says of itself
   * @param {(message: object) => void} callbacks.heard anything else
   */
  constructor(name, callbacks, { share = true } = {}) {
    this.#name = `carillon ${name}`;
    this.#callbacks = callbacks;
    this.#share = share && typeof BroadcastChannel === "function" && navigator.locks !== undefined;
  }

  #share;

  get isLeading() {
    return this.#leading;
  }

  join() {
    this.#left = new AbortController();
    if (!this.#share) return this.#lead();
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#received(data);
    this.#queue();
    this.greet();
    return undefined;
  }

  /** Leaves for good, or until `join`. */
  leave() {
    this.say({ kind: "bye" });
    clearTimeout(this.#timer);
    this.#left.abort();
    this.#leading = false;
    this.#release?.();
    this.#channel?.close();
    this.#channel = undefined;
  }

  /** Tells the others. */
  say(message) {
    this.#channel?.postMessage({ ...message, from: this.id });
  }

  /** Asks the leader where things stand, and takes its place if it does not answer. */
  greet() {
    if (this.#leading || !this.#channel) return;
    this.say({ kind: "hello", ...this.#callbacks.hello() });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#queue({ steal: true }), answerMs);
  }

  #queue({ steal = false } = {}) {
    const { signal } = this.#left;
    if (steal && this.#leading) return;
    navigator.locks
      .request(this.#name, steal ? { steal } : { signal }, () => {
        if (signal.aborted || this.#leading) return undefined;
        return new Promise((release) => {
          this.#release = release;
          this.#lead();
        });
      })
      .catch(() => {
        // Given up by `leave`, or deposed: then it waits for its turn again.
        if (signal.aborted || !this.#leading) return;
        this.#leading = false;
        this.#callbacks.follow();
        this.#queue();
        this.greet();
      });
  }

  #lead() {
    clearTimeout(this.#timer);
    this.#leading = true;
    this.#callbacks.lead();
    this.say({ kind: "leads" });
  }

  #received(message) {
    const { kind, from, to } = message;
    if (to !== undefined && to !== this.id) return;
    if (kind === "hello" && this.#leading) {
      this.#callbacks.heard(message);
      this.say({ kind: "welcome", to: from, ...this.#callbacks.welcome() });
    } else if (kind === "welcome") {
      clearTimeout(this.#timer);
      if (!this.#leading) this.#callbacks.welcomed(message);
    } else if (kind === "leads") {
      this.greet();
    } else if (kind !== "hello") {
      this.#callbacks.heard(message);
    }
  }
}
