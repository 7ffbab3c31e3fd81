// The monitor of what is stored and not read.

import { call } from "./api.js";
import { byID, every, showProblem, showRows } from "./dom.js";
import { messageRow } from "./message.js";

const rowLimit = 500;

export function startPending() {
  return every(5, refresh);
}

async function refresh() {
  try {
    const answer = await call(`api/v1/admin/pending?limit=${rowLimit}`);
    const rows = Object.entries(answer.pending_notifications).flatMap(([user, entries]) =>
      entries.map((entry) => ({ user, streamID: entry.id, payload: entry.payload ?? undefined })),
    );
    // A payload that has expired since makes another row.
    showRows(byID("pending-list"), rows, (row) => `${row.user} ${row.streamID} ${row.payload !== undefined}`, messageRow);
    byID("pending-total").textContent = tally(answer, rows.length);
    byID("pending-empty").hidden = rows.length > 0;
    showProblem(byID("pending-problem"));
  } catch (problem) {
    showProblem(byID("pending-problem"), problem);
  }
}

function tally({ total_pending: total, users_with_pending: users, next_cursor: more }, shown) {
  if (!total) return "0";
  const text = `${total} for ${users} ${users === 1 ? "user" : "users"}`;
  return more ? `${text}, the newest ${shown} shown` : text;
}
