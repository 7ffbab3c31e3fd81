// The list of connected clients and which of them are selected as recipients.

import { call, userKey } from "./api.js";
import { byID, counted, element, nameElement, numberText, setText, showRefresh, timeElement } from "./dom.js";
import { every } from "./poll.js";
import { RowWindow } from "./rowwindow.js";

const firstRows = 500;
// The most that the server lists in one answer.
const mostRows = 10_000;

const selected = new Map();
let listing = { clients: [], total: 0, more: false };
let shown = [];
// Only what somebody looks at is asked for: more when the end of the list comes into view, all of it for a filter.
let wanted = firstRows;
let rowWindow;
let refresh;
let userPicked;
let selectionChanged;

/** The users that have a selected client, each once. */
export const selectedUsers = () => [...new Map([...selected.values()].map((user) => [userKey(user), user])).values()];

/**
 * Starts the panel.
 * @param {(user) => void} picked called when somebody chooses a user from the list
 * @param {() => void} changed called when other clients are selected
 */
export function startClients(picked, changed) {
  userPicked = picked;
  selectionChanged = changed;
  rowWindow = new RowWindow(byID("clients-scroll"), byID("clients-list"), {
    keyOf: (client) => client.connection_id,
    makeRow: clientRow,
    updateRow: showChecked,
    endSeen: () => listing.more && want(wanted * 4),
  });
  byID("clients-filter").addEventListener("input", show);
  byID("select-all").addEventListener("change", (event) => {
    for (const client of shown) select(client, event.target.checked);
    showSelection();
  });
  byID("clear-selection").addEventListener("click", () => {
    selected.clear();
    showSelection();
    byID("select-all").focus();
  });
  refresh = every(3, load);
}

function want(rows) {
  if (wanted === mostRows) return;
  wanted = Math.min(mostRows, rows);
  refresh();
}

async function load() {
  try {
    const { clients, total, next_cursor: cursor } = await call(`api/v1/admin/clients?limit=${wanted}`);
    listing = { clients, total, more: cursor !== undefined };
    forgetGone();
    show();
    showRefresh("clients", byID("clients"));
  } catch (problem) {
    showRefresh("clients", byID("clients"), problem);
  }
}

const filterText = () => byID("clients-filter").value.trim().toLowerCase();

function show() {
  const text = filterText();
  const { clients, more } = listing;
  const textOf = (client) => `${userKey(client)} ${client.pod_id} ${client.connection_id} ${client.transport}`.toLowerCase();
  shown = text ? clients.filter((client) => textOf(client).includes(text)) : clients;
  rowWindow.show(shown);
  const grid = byID("clients-grid");
  grid.hidden = !shown.length;
  // -1 says that there are more rows than are known.
  grid.setAttribute("aria-rowcount", more ? -1 : shown.length + 1);
  byID("clients-empty").hidden = shown.length > 0;
  setText(byID("clients-empty"), text ? "No client fits the filter." : "No client is connected to any pod.");
  setText(byID("clients-total"), tally(text));
  showSelection();
  if (text && more) want(mostRows);
}

function tally(text) {
  const { clients, total, more } = listing;
  if (text) return `${numberText(shown.length)} of ${numberText(total)}`;
  return more && wanted === mostRows ? `${numberText(total)}, the newest ${numberText(clients.length)} listed` : numberText(total);
}

/** What is beyond the end of the listing may still be there; what should be in it and is not has gone. */
function forgetGone() {
  if (listing.more) return;
  const present = new Set(listing.clients.map((client) => client.connection_id));
  for (const connection of selected.keys()) {
    if (!present.has(connection)) selected.delete(connection);
  }
}

function select(client, isSelected) {
  if (isSelected) selected.set(client.connection_id, { id: client.id, login: client.login });
  else selected.delete(client.connection_id);
}

function showSelection() {
  rowWindow.refresh();
  const users = selectedUsers().length;
  const count = `${counted(selected.size, "client")} of ${counted(users, "user")} selected`;
  setText(byID("selected-count"), selected.size ? count : "None selected");
  byID("clear-selection").hidden = !selected.size;
  const listed = shown.reduce((count, client) => count + selected.has(client.connection_id), 0);
  byID("select-all").checked = listed > 0 && listed === shown.length;
  byID("select-all").indeterminate = listed > 0 && listed < shown.length;
  selectionChanged();
}

function clientRow(client) {
  const name = userKey(client);
  const choose = (event) => {
    select(client, event.target.checked);
    showSelection();
  };
  const pick = () => userPicked({ id: client.id, login: client.login });
  const cell = (...children) => element("div", { role: "gridcell" }, ...children);
  const connection = cell(client.connection_id);
  Object.assign(connection, { className: "code", title: client.connection_id });
  return element(
    "div",
    { class: "row", role: "row" },
    cell(element("input", { type: "checkbox", "aria-label": `Select ${name}`, change: choose })),
    cell(element("button", { type: "button", class: "link", title: `Fill ${name} into the forms`, click: pick }, name)),
    cell(element("span", { class: "chip" }, client.transport)),
    cell(nameElement("span", client.pod_id)),
    cell(timeElement(client.connected_at)),
    connection,
  );
}

function showChecked(row, client) {
  const isSelected = selected.has(client.connection_id);
  row.querySelector("input").checked = isSelected;
  row.setAttribute("aria-selected", isSelected);
}
