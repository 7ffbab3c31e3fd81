// What the user did and the hub has not confirmed yet. Pages see it at once; the hub is told until it answers, after a reload
// of the page and in another tab too.
//
// Each deed has an entry of its own in localStorage, so that tabs never write over one another. Only ids are kept there.

import { changed } from "./item.js";

/** Which deeds undo one another: of one field, the last one counts. */
const fields = {
  read: "read",
  unread: "read",
  seen: "seen",
  archive: "archive",
  unarchive: "archive",
  snooze: "snooze",
  unsnooze: "snooze",
  delete: "delete",
};

const mostDeeds = 1000;
// Nothing lives longer in the hub.
const longestMs = 15 * 24 * 3600 * 1000;

/**
 * @typedef {object} Deed
 * @property {string} key
 * @property {string} serial tells two deeds with one key apart
 * @property {keyof typeof fields} verb
 * @property {string} id
 * @property {string} streamId
 * @property {string} [until] for `snooze`
 * @property {number} at milliseconds since 1970
 */

/** @returns {Deed} */
export function deed(verb, { id, streamId }, until) {
  const serial = crypto.getRandomValues(new Uint32Array(2)).join("-");
  return { key: `${fields[verb]} ${id}`, serial, verb, id, streamId, until, at: Date.now() };
}

export class Queue {
  #deeds = new Map();
  #prefix;
  #storage;

  /**
   * @param {string} name of the user and hub whose deeds these are
   * @param {Storage} [storage] undefined keeps them in memory only
   */
  constructor(name, storage) {
    this.#prefix = `carillon deed ${name} `;
    this.#storage = storage;
    this.load();
  }

  get size() {
    return this.#deeds.size;
  }

  /** All of them, oldest first. */
  list() {
    return [...this.#deeds.values()].sort((a, b) => a.at - b.at);
  }

  /** Reads what earlier pages and other tabs have left. */
  load() {
    for (const name of this.#names()) {
      const known = this.#read(name);
      if (!known) this.#store((storage) => storage.removeItem(name));
      else if (!this.#deeds.has(known.key)) this.#deeds.set(known.key, known);
    }
  }

  /** Takes in a deed, instead of an older one that it undoes. */
  add(deed) {
    this.#deeds.delete(deed.key);
    this.#deeds.set(deed.key, deed);
    if (this.#deeds.size > mostDeeds) this.remove(this.#deeds.values().next().value);
    this.#store((storage) => storage.setItem(this.#prefix + deed.key, JSON.stringify(deed)));
  }

  /** Forgets a deed, unless a newer one has taken its place. */
  remove({ key, serial }) {
    if (this.#deeds.get(key)?.serial !== serial) return undefined;
    const removed = this.#deeds.get(key);
    this.#deeds.delete(key);
    this.#store((storage) => storage.removeItem(this.#prefix + key));
    return removed;
  }

  /** Whether a deed waits for the hub still. */
  holds(serial) {
    return this.list().some((known) => known.serial === serial);
  }

  /** Whether the user asked for just this. */
  asks(verb, id) {
    return this.#deeds.get(`${fields[verb]} ${id}`)?.verb === verb;
  }

  /** Forgets the wish to read, which the hub has fulfilled. */
  wasRead(id) {
    const known = this.#deeds.get(`read ${id}`);
    return known?.verb === "read" ? this.remove(known) : undefined;
  }

  /** Forgets all deeds on a notification that is gone. */
  isGone(id) {
    const known = [...new Set(Object.values(fields))].map((field) => this.#deeds.get(`${field} ${id}`));
    return known.filter((one) => one && this.remove(one));
  }

  clear() {
    return this.list().filter((known) => this.remove(known));
  }

  /** A notification with what was done to it, or undefined where it was removed. */
  applied(item) {
    if (!this.#deeds.size) return item;
    const state = {};
    for (const field of new Set(Object.values(fields))) {
      const known = this.#deeds.get(`${field} ${item.id}`);
      if (known?.verb === "delete") return undefined;
      if (known) Object.assign(state, stateAfter(known));
    }
    return Object.keys(state).length ? changed(item, state) : item;
  }

  #names() {
    const names = [];
    this.#store((storage) => {
      for (let index = 0; index < storage.length; index += 1) {
        if (storage.key(index).startsWith(this.#prefix)) names.push(storage.key(index));
      }
    });
    return names;
  }

  #read(name) {
    try {
      const known = JSON.parse(this.#storage.getItem(name));
      const isOurs = known?.verb in fields && typeof known.id === "string" && name === this.#prefix + known.key;
      return isOurs && Date.now() - known.at < longestMs ? known : undefined;
    } catch {
      return undefined;
    }
  }

  /** Storage may be full or forbidden; then deeds live as long as the page. */
  #store(work) {
    try {
      if (this.#storage) work(this.#storage);
    } catch {
      this.#storage = undefined;
    }
  }
}

/** What a verb makes of a notification. */
export function stateAfter({ verb, until }) {
  switch (verb) {
    case "read":
      return { read: true, seen: true };
    case "unread":
      return { read: false };
    case "seen":
      return { seen: true };
    case "archive":
      return { archived: true };
    case "unarchive":
      return { archived: false };
    case "snooze":
      return { snoozedUntil: until };
    case "unsnooze":
      return { snoozedUntil: undefined };
    default:
      return {};
  }
}
