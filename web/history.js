// A user's last 100 notifications with their state, kept up to date while they are shown.

import { call, fillUser, userKey, userOf, userQuery } from "./api.js";
import { byID, keepingScroll, numberText, setText, showRefresh, showRows } from "./dom.js";
import { messageRow, updateMessageRow } from "./message.js";
import { every } from "./poll.js";

let user;
let refresh;

export function startHistory() {
  byID("history").addEventListener("submit", (event) => {
    event.preventDefault();
    show(userOf(event.target));
  });
  refresh = every(5, load);
}

/** Shows a user's history. */
export function showHistory(wanted) {
  fillUser(byID("history"), wanted);
  show(wanted);
}

function show(wanted) {
  user = wanted;
  refresh();
}

async function load() {
  const asked = user;
  if (!asked) return;
  try {
    const { messages, total } = await call(`api/v1/admin/history?${userQuery(asked)}`);
    // An answer that a later question has overtaken is not shown.
    if (asked !== user) return;
    const rows = messages.map(({ id, payload, status }) => ({ streamID: id, payload: payload ?? undefined, status })).reverse();
    const list = byID("history-list");
    const keyOf = (row) => `${userKey(asked)} ${row.streamID}`;
    keepingScroll(byID("history-scroll"), list, () => showRows(list, rows, keyOf, messageRow, updateMessageRow));
    setText(byID("history-total"), tally(asked, total, rows));
    setText(byID("history-empty"), `${userKey(asked)} has no notifications.`);
    byID("history-empty").hidden = rows.length > 0;
    showRefresh("history", byID("past"));
  } catch (problem) {
    if (asked !== user) return;
    showRefresh("history", byID("past"), problem);
    // What is wrong with the user stays wrong.
    if (problem.status === 400) user = undefined;
  }
}

function tally(asked, total, rows) {
  const unread = rows.filter((row) => row.status === "unread").length;
  return `${userKey(asked)}: ${numberText(total)}${unread ? `, ${numberText(unread)} unread` : ""}`;
}
