// What a page of the list tells that the session does not know, as the frames that would have told it. So a long poll, and the
// look at the list after a reconnect, go through the same door as everything else.

import { compareStreamIds, splitStreamId } from "./ids.js";
import { itemOf } from "./item.js";

/**
 * @param {object} list an answer of `GET /api/v1/notifications`, newest first, archived and snoozed ones included
 * @param {import("./item.js").Item[]} known as the hub was known to see them when the list was asked for
 * @param {Set<string>} told whose state was told since then, and is newer than the list
 * @returns {object[]} frames
 */
export function framesOf(list, known, told) {
  const before = new Map(known.map((item) => [item.id, item]));
  const frames = [];
  // Oldest first, as pushes come.
  for (const row of [...list.notifications].reverse()) {
    const item = itemOf(row);
    const old = before.get(item.id);
    before.delete(item.id);
    if (told.has(item.id)) continue;
    if (!old) frames.push({ type: "notification.push", data: { ...row, status: item.status, notification_id: item.id } });
    else frames.push(...changesOf(old, item));
  }
  const missing = [...before.values()].filter((item) => !told.has(item.id) && isCovered(item, list));
  for (let start = 0; start < missing.length; start += 100) frames.push(change("delete", missing.slice(start, start + 100)));
  frames.push({ type: "inbox.changed", data: { action: "count", notifications: [], unread_count: list.unread_count } });
  return frames;
}

function changesOf(old, item) {
  const frames = [];
  if (old.read !== item.read) frames.push(change(item.read ? "read" : "unread", [item]));
  if (!old.seen && item.seen) frames.push(change("seen", [item]));
  if (old.archived !== item.archived) frames.push(change(item.archived ? "archive" : "unarchive", [item]));
  if (old.snoozedUntil !== item.snoozedUntil) {
    frames.push(change(item.snoozedUntil ? "snooze" : "unsnooze", [item], item.snoozedUntil));
  }
  return frames;
}

function change(action, items, until) {
  const notifications = items.map(({ id, streamId }) => ({ notification_id: id, stream_id: streamId }));
  return { type: "inbox.changed", data: { action, notifications, snoozed_until: until } };
}

/** Whether the list would show a notification if it were still there: nothing is known of what is older than its last row. */
function isCovered(item, { notifications: rows, has_more: hasMore }) {
  if (!hasMore) return true;
  // Streams are merged by time, so those of other topics are judged by the millisecond only.
  const last = rows.at(-1);
  return last !== undefined && splitStreamId(last.stream_id).topic === splitStreamId(item.streamId).topic
    ? compareStreamIds(item.streamId, last.stream_id) > 0
    : last !== undefined && Number(splitStreamId(item.streamId).time) > Number(splitStreamId(last.stream_id).time);
}
