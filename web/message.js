// How a notification looks, the same in every panel.

import { element, timeElement } from "./dom.js";
import { stringify } from "./lossless.js";

const badges = { read: "READ", unread: "UNREAD", auto_cleared: "AUTO-CLEARED" };

export function badge(status) {
  return element("span", { class: `badge ${status in badges ? status : ""}` }, badges[status] ?? String(status));
}

/**
 * A list row for one notification.
 * @param {object} row `payload` (absent when it expired), `streamID`, and optionally `status`, `user` and `action` (a node)
 */
export function messageRow({ payload, streamID, status, user, action }) {
  const { title, message, priority, type, channel, source, created_at: createdAt, data } = payload ?? {};
  return element(
    "li",
    { class: "card", "data-stream-id": streamID, "data-status": status },
    element(
      "div",
      { class: "line" },
      status && badge(status),
      user && element("strong", {}, user),
      title && element("strong", { class: "title" }, title),
      priority && element("span", { class: `chip ${priority}` }, priority),
      type && element("span", { class: "chip" }, type),
      channel && element("span", { class: "chip" }, `#${channel}`),
      element("span", { class: "when" }, createdAt ? timeElement(createdAt) : ""),
    ),
    message ? element("p", { class: "message" }, message) : element("p", { class: "message gone" }, "The payload has expired."),
    data && element("details", {}, element("summary", {}, "data"), element("pre", {}, stringify(data, 2))),
    element(
      "div",
      { class: "line foot" },
      element("span", { class: "code", title: payload?.notification_id }, streamID),
      source && element("span", {}, `from ${source}`),
      action,
    ),
  );
}
