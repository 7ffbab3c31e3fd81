// A notification as pages see it: one form for pushes, replays and rows of the list.

import { splitStreamId } from "./ids.js";

/**
 * @typedef {object} Item
 * @property {string} id
 * @property {string} streamId where it stands; newer ones are greater
 * @property {string} [topic] whom it was for, if not for this user: a channel, or everybody, which is the empty text
 * @property {string} message
 * @property {string} [title]
 * @property {string} [type]
 * @property {string} [channel]
 * @property {"low" | "medium" | "high" | "urgent"} [priority]
 * @property {string} [source]
 * @property {object} [data] integers beyond 2^53 are BigInt
 * @property {string} createdAt RFC 3339
 * @property {"unread" | "read" | "auto_cleared"} status
 * @property {boolean} read
 * @property {string} [readAt]
 * @property {boolean} seen
 * @property {boolean} archived
 * @property {string} [snoozedUntil] RFC 3339
 */

/**
 * Reads what the hub says of one notification.
 * @returns {Item}
 * @throws {TypeError} where it has no ids
 */
export function itemOf(row) {
  const id = row?.notification_id ?? row?.id;
  const stream = splitStreamId(row?.stream_id);
  if (typeof id !== "string" || !id || !stream) throw new TypeError("a notification without its ids");
  const read = row.read === true || row.status === "read";
  return Object.freeze({
    id,
    streamId: row.stream_id,
    topic: stream.topic,
    message: textOf(row.message) ?? "",
    title: textOf(row.title),
    type: textOf(row.type ?? row.notification_type),
    channel: textOf(row.channel),
    priority: textOf(row.priority),
    source: textOf(row.source),
    data: row.data !== null && typeof row.data === "object" ? row.data : undefined,
    createdAt: textOf(row.created_at) ?? new Date(Number(stream.time)).toISOString(),
    status: read ? "read" : row.status === "auto_cleared" ? "auto_cleared" : "unread",
    read,
    readAt: textOf(row.read_at),
    seen: read || row.seen === true || Boolean(row.seen_at),
    archived: row.archived === true || Boolean(row.archived_at),
    snoozedUntil: textOf(row.snoozed_until),
  });
}

const textOf = (value) => (typeof value === "string" && value !== "" ? value : undefined);

/** The same notification with other state. */
export function changed(item, state) {
  const next = { ...item, ...state };
  if (state.read !== undefined) {
    next.status = state.read ? "read" : "unread";
    if (!state.read) next.readAt = undefined;
  }
  return Object.freeze(next);
}

/** Whether it is put away, for good or for a time. */
export function isHidden(item, now = Date.now()) {
  return item.archived || (item.snoozedUntil !== undefined && Date.parse(item.snoozedUntil) > now);
}

/** Whether it stands in the unread count. */
export const counts = (item) => item.status === "unread" && !isHidden(item);
