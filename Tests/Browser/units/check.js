// The few assertions that the unit tests need. Each file exports its tests by name; sdk_test.py runs them in Chromium.

/** Compares by what JSON shows of both; BigInt as its digits, absent members as absent. */
export function same(actual, expected, what = "") {
  const text = (value) => JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part));
  if (text(actual) !== text(expected)) throw new Error(`${what} expected ${text(expected)}, got ${text(actual)}`);
}

export function isTrue(value, what) {
  if (!value) throw new Error(what);
}

export function throws(work, what) {
  try {
    work();
  } catch {
    return;
  }
  throw new Error(what);
}

/** A storage without a browser. */
export class FakeStorage {
  map = new Map();
  get length() {
    return this.map.size;
  }
  key(index) {
    return [...this.map.keys()][index];
  }
  getItem(name) {
    return this.map.get(name) ?? null;
  }
  setItem(name, value) {
    this.map.set(name, value);
  }
  removeItem(name) {
    this.map.delete(name);
  }
}

/** A frame that pushes a notification. */
export function push(number, state = {}) {
  const ids = { notification_id: `n${number}`, stream_id: `${number}-0` };
  return { type: "notification.push", data: { ...ids, message: `message ${number}`, status: state.read ? "read" : "unread", read: false, ...state } };
}

export const ready = (last, unread, epoch = "e") => ({
  type: "session.ready",
  data: { unread_count: unread, last_stream_id: last, epoch, protocol: 1 },
});

export const ack = (number) => ({ type: "notification.read.ack", data: { notification_id: `n${number}`, stream_id: `${number}-0` } });

export const change = (action, numbers, unread, more = {}) => ({
  type: "inbox.changed",
  data: {
    action,
    notifications: numbers.map((number) => ({ notification_id: `n${number}`, stream_id: `${number}-0` })),
    unread_count: unread,
    ...more,
  },
});
