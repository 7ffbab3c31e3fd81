// The list of connected clients and which of them are selected as recipients.

import { call, userKey } from "./api.js";
import { byID, element, every, showProblem, showRows, timeElement } from "./dom.js";

const rowLimit = 500;
const selected = new Map();
let userPicked = () => {};

/** The users that have a selected client, each once. */
export const selectedUsers = () => [...new Map([...selected.values()].map((user) => [userKey(user), user])).values()];

/** Starts the panel. `pick(user)` is called when somebody chooses a user from the list. */
export function startClients(pick) {
  userPicked = pick;
  return every(3, refresh);
}

async function refresh() {
  try {
    const { clients, total, next_cursor: more } = await call(`api/v1/admin/clients?limit=${rowLimit}`);
    showRows(byID("clients-list"), clients, (client) => client.connection_id, clientRow);
    byID("clients-total").textContent = more ? `${total}, the newest ${clients.length} shown` : String(total);
    byID("clients").hidden = !clients.length;
    byID("clients-empty").hidden = clients.length > 0;
    forgetGone(new Set(clients.map((client) => client.connection_id)));
    showProblem(byID("clients-problem"));
  } catch (problem) {
    showProblem(byID("clients-problem"), problem);
  }
}

function forgetGone(present) {
  for (const connection of selected.keys()) {
    if (!present.has(connection)) selected.delete(connection);
  }
  showSelection();
}

function showSelection() {
  byID("selected-count").textContent = String(selected.size);
}

function clientRow(client) {
  const name = userKey(client);
  const choose = (event) => {
    if (event.target.checked) selected.set(client.connection_id, { id: client.id, login: client.login });
    else selected.delete(client.connection_id);
    showSelection();
  };
  const pick = () => userPicked({ id: client.id, login: client.login });
  return element(
    "tr",
    {},
    element("td", {}, element("input", { type: "checkbox", "aria-label": `Select ${name}`, change: choose })),
    element("td", {}, element("button", { type: "button", class: "link", title: `Fill ${name} into the forms`, click: pick }, name)),
    element("td", {}, timeElement(client.connected_at)),
    element("td", { class: "pod" }, client.pod_id),
    element("td", { class: "code" }, client.connection_id, " ", element("span", { class: "chip" }, client.transport)),
  );
}
