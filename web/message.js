// How a notification looks, the same in every panel.

import { element, timeElement } from "./dom.js";
import { stringify } from "./lossless.js";

const badges = { read: "READ", unread: "UNREAD", auto_cleared: "AUTO-CLEARED" };

function badge(status) {
  return element("span", { class: `badge ${status in badges ? status : ""}` }, badges[status] ?? String(status));
}

/** What decides how a row looks; all else of a notification stays as it was sent. */
const faceOf = ({ status, payload }) => `${status} ${payload !== undefined}`;

/**
 * A list row for one notification.
 * @param {object} row `payload` (absent when it expired), `streamID`, and optionally `status`, `user` (a text or a node) and
 *   `action` (a node)
 */
export function messageRow(row) {
  const node = element("li", { class: "card", tabindex: "-1" });
  fill(node, row);
  return node;
}

/** Brings a row up to date in place: it keeps its scroll and what is folded out, and the focus stays in it. */
export function updateMessageRow(node, row) {
  if (node.dataset.face === faceOf(row)) return;
  const isOpen = node.querySelector("details")?.open;
  const focused = node.contains(document.activeElement) ? document.activeElement : undefined;
  fill(node, row);
  const details = node.querySelector("details");
  if (details && isOpen) details.open = true;
  if (focused) (node.querySelector(focused.localName) ?? node).focus({ preventScroll: true });
}

function fill(node, row) {
  const { payload, streamID, status, user, action } = row;
  const { title, message, priority, type, channel, source, created_at: createdAt, data } = payload ?? {};
  Object.assign(node.dataset, { face: faceOf(row), streamId: streamID, status: status ?? "" });
  node.replaceChildren(
    ...[
      element(
        "div",
        { class: "line" },
        status && badge(status),
        user && element("strong", { class: "user" }, user),
        priority && element("span", { class: `chip ${priority}` }, priority),
        type && element("span", { class: "chip" }, type),
        channel && element("span", { class: "chip" }, `#${channel}`),
        // The stream of what is for everybody has no name.
        streamID?.endsWith("@") ? element("span", { class: "chip" }, "everybody") : undefined,
        element("span", { class: "when" }, createdAt ? timeElement(createdAt) : ""),
      ),
      title && element("p", { class: "title" }, title),
      message ? element("p", { class: "message" }, message) : element("p", { class: "message gone" }, "The payload has expired."),
      data && element("details", {}, element("summary", {}, "Data"), element("pre", {}, stringify(data, 2))),
      element(
        "div",
        { class: "line foot" },
        element("span", { class: "code", title: payload?.notification_id }, streamID),
        source && element("span", {}, `from ${source}`),
        action,
      ),
    ].filter(Boolean),
  );
}
