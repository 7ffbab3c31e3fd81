// A user's last 100 notifications with their state.

import { call, userKey, userOf, userQuery } from "./api.js";
import { byID, showProblem, showRows } from "./dom.js";
import { messageRow } from "./message.js";

let asked = 0;

export function startHistory() {
  byID("history").addEventListener("submit", (event) => {
    event.preventDefault();
    show(userOf(event.target));
  });
}

async function show(user) {
  const empty = byID("history-empty");
  const question = ++asked;
  try {
    const { messages, total } = await call(`api/v1/admin/history?${userQuery(user)}`);
    // An answer that a later question has overtaken is not shown.
    if (question !== asked) return;
    const rows = messages.map(({ id, payload, status }) => ({ streamID: id, payload: payload ?? undefined, status })).reverse();
    const keyOf = (row) => `${userKey(user)} ${row.streamID} ${row.status} ${row.payload !== undefined}`;
    showRows(byID("history-list"), rows, keyOf, messageRow);
    byID("history-total").textContent = String(total);
    empty.hidden = rows.length > 0;
    empty.textContent = `${userKey(user)} has no notifications.`;
    showProblem(byID("history-problem"));
  } catch (problem) {
    if (question === asked) showProblem(byID("history-problem"), problem);
  }
}
