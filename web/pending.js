// The monitor of what is stored and not read.

import { call } from "./api.js";
import { byID, counted, element, keepingScroll, numberText, setText, showRefresh, showRows } from "./dom.js";
import { messageRow, updateMessageRow } from "./message.js";
import { every } from "./poll.js";

const rowsPerStep = 100;
// Nobody reads on beyond this.
const mostRows = 1600;

let wanted = rowsPerStep;

/** Starts the panel. `pick(user)` is called when somebody chooses a user from the list. */
export function startPending(pick) {
  const refresh = every(5, () => load(pick));
  byID("pending-more").addEventListener("click", () => {
    wanted = Math.min(mostRows, wanted * 2);
    refresh();
  });
  return refresh;
}

async function load(pick) {
  try {
    const answer = await call(`api/v1/admin/pending?limit=${wanted}`);
    const rows = Object.entries(answer.pending_notifications).flatMap(([user, entries]) =>
      entries.map((entry) => ({ user, streamID: entry.id, payload: entry.payload ?? undefined })),
    );
    const list = byID("pending-list");
    const makeRow = (row) => messageRow({ ...row, user: userLink(row, pick) });
    const update = (node, row) => updateMessageRow(node, { ...row, user: userLink(row, pick) });
    const keyOf = (row) => `${row.user} ${row.streamID}`;
    keepingScroll(byID("pending-scroll"), list, () => showRows(list, rows, keyOf, makeRow, update));
    setText(byID("pending-total"), tally(answer, rows.length));
    byID("pending-more").hidden = !answer.next_cursor || wanted === mostRows;
    byID("pending-empty").hidden = rows.length > 0;
    showRefresh("pending", byID("pending"));
  } catch (problem) {
    showRefresh("pending", byID("pending"), problem);
  }
}

/** The payload says who the user is; once it has expired there is only the name of the key. */
function userLink({ user, payload }, pick) {
  const target = payload?.target;
  if (target?.id === undefined || !target.login) return user;
  const title = `Fill ${user} into the forms`;
  return element("button", { type: "button", class: "link", title, click: () => pick(target) }, user);
}

function tally({ total_pending: total, users_with_pending: users, next_cursor: more }, shown) {
  if (!total) return "0";
  const text = `${numberText(total)} for ${counted(users, "user")}`;
  return more ? `${text}, the newest ${numberText(shown)} shown` : text;
}
