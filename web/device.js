// A device of a user inside the page: one WebSocket, its pushes, and the buttons that say read.

import { call, userKey, userOf, userQuery } from "./api.js";
import { byID, element, keepingScroll, numberText, setText, showProblem, showRows } from "./dom.js";
import { parse, stringify } from "./lossless.js";
import { messageRow, updateMessageRow } from "./message.js";

const rowLimit = 500;
const longestWaitSeconds = 20;
// The most that one frame may name.
const readsPerFrame = 100;

let session;

export function startDevice() {
  byID("device").addEventListener("submit", (event) => {
    event.preventDefault();
    session?.end();
    session = new Session(userOf(event.target));
  });
  byID("device-close").addEventListener("click", () => {
    session?.end();
    session = undefined;
    byID("device-open").focus();
    showState("Not connected.", "off");
  });
  byID("device-read-all").addEventListener("click", () => session?.readAll());
}

function showState(text, kind) {
  setText(byID("device-state"), text);
  byID("device-state").dataset.kind = kind;
  byID("device-close").hidden = kind === "off";
  byID("device-panel").classList.toggle("stale", kind !== "live");
}

/** One user's connection, kept up over losses until `end`. */
class Session {
  #user;
  #socket;
  #retryTimer;
  #failures = 0;
  #ended = false;
  #live = false;
  #frame;
  /** What this connection heard, by stream id, oldest first. */
  #entries = new Map();

  constructor(user) {
    this.#user = user;
    this.#show();
    showProblem(byID("device-problem"));
    this.#connect();
  }

  end() {
    this.#ended = true;
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#retryTimer);
    this.#socket?.close(1000);
  }

  readAll() {
    const unread = this.#unread();
    for (let start = 0; start < unread.length; start += readsPerFrame) this.#say(unread.slice(start, start + readsPerFrame));
    byID("device-scroll").focus();
  }

  #connect() {
    showState(`Connecting as ${userKey(this.#user)}…`, "busy");
    // Each connection starts with a whole replay: it also tells what was read elsewhere meanwhile, which `since` leaves out.
    this.#entries = new Map();
    const url = new URL(`ws?${userQuery(this.#user)}`, document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    let opened = false;
    socket.addEventListener("open", () => (opened = true));
    socket.addEventListener("message", (event) => this.#ended || this.#received(parse(event.data)));
    socket.addEventListener("close", (event) => this.#ended || this.#closed(event, opened));
    this.#socket = socket;
  }

  async #closed(event, opened) {
    this.#live = false;
    if (!opened && (await this.#refused())) return;
    if (this.#ended) return;
    const longest = Math.min(longestWaitSeconds, 0.5 * 2 ** this.#failures);
    const seconds = longest * (0.5 + Math.random() / 2);
    this.#failures += 1;
    const why = event.reason ? `${event.code}, ${event.reason}` : event.code;
    showState(`Connection lost (${why}). Trying again in ${seconds.toFixed(1)} s…`, "busy");
    this.#retryTimer = setTimeout(() => this.#connect(), seconds * 1000);
  }

  /**
   * Whether the server does not take this user, so that trying again is pointless. A page is not told why an upgrade was
   * refused; the history judges the same parameters by the same rules.
   */
  async #refused() {
    try {
      await call(`api/v1/admin/history?${userQuery(this.#user)}`);
      return false;
    } catch (problem) {
      if (problem.status !== 400 || this.#ended) return false;
      this.end();
      showProblem(byID("device-problem"), problem);
      showState("Not connected.", "off");
      byID("device-empty").hidden = true;
      return true;
    }
  }

  #received({ type, data }) {
    switch (type) {
      case "notification.push":
        this.#pushed(data);
        break;
      case "notification.read.ack":
        this.#changed(data, "read");
        break;
      case "notification.auto_cleared":
        this.#changed(data, "auto_cleared");
        break;
      case "inbox.changed":
        this.#inboxChanged(data);
        break;
      case "session.ready":
        this.#ready(data);
        break;
      case "error":
        showProblem(byID("device-problem"), { title: data.code, detail: data.detail });
        break;
    }
  }

  #ready(data) {
    this.#failures = 0;
    this.#live = true;
    showState(`Live as ${userKey(this.#user)} on pod ${data.pod_id}, connection ${data.connection_id}.`, "live");
    this.#show();
  }

  #pushed(data) {
    this.#entries.set(data.stream_id, data);
    if (this.#entries.size > rowLimit) this.#entries.delete(this.#entries.keys().next().value);
    if (!this.#live) return;
    setText(byID("device-news"), `New notification: ${data.title ?? data.message}`);
    this.#showSoon();
  }

  #changed({ stream_id: streamID }, status) {
    const entry = this.#entries.get(streamID);
    if (!entry) return;
    this.#entries.set(streamID, { ...entry, status });
    if (this.#live) this.#showSoon();
  }

  /** What was done over HTTP. Of the rest of it, such as archiving, this list shows nothing. */
  #inboxChanged({ action, notifications }) {
    for (const { stream_id: streamID } of notifications) {
      if (["delete", "withdraw", "collapse"].includes(action)) this.#entries.delete(streamID);
      else if (["read", "unread"].includes(action)) this.#changed({ stream_id: streamID }, action);
    }
    if (this.#live) this.#showSoon();
  }

  #say(entries) {
    const isOpen = this.#socket.readyState === WebSocket.OPEN;
    showProblem(byID("device-problem"), isOpen ? undefined : { title: "Not sent", detail: "the device is not connected" });
    if (!isOpen) return;
    const data = entries.map(({ notification_id, stream_id }) => ({ notification_id, stream_id }));
    this.#socket.send(stringify({ type: "notification.read", data }));
  }

  #unread() {
    return [...this.#entries.values()].filter((entry) => entry.status === "unread");
  }

  /** However many frames come, the list is drawn once for each picture of the screen. */
  #showSoon() {
    this.#frame ??= requestAnimationFrame(() => this.#show());
  }

  #show() {
    this.#frame = undefined;
    const rows = [...this.#entries.values()].reverse();
    const list = byID("device-list");
    const wasOnButton = list.contains(document.activeElement) && document.activeElement.matches(".foot button");
    const keyOf = (entry) => `${userKey(this.#user)} ${entry.stream_id}`;
    const makeRow = (entry) => messageRow(this.#rowOf(entry));
    const updateRow = (node, entry) => updateMessageRow(node, this.#rowOf(entry));
    keepingScroll(byID("device-scroll"), list, () => showRows(list, rows, keyOf, makeRow, updateRow));
    if (wasOnButton) goToNextButton(list);
    const unread = this.#unread().length;
    setText(byID("device-total"), `${userKey(this.#user)}${unread ? `, ${numberText(unread)} unread` : ""}`);
    byID("device-read-all").hidden = !unread;
    byID("device-empty").hidden = rows.length > 0;
    setText(byID("device-empty"), `Nothing for ${userKey(this.#user)} yet.`);
  }

  #rowOf(entry) {
    const { status, stream_id: streamID, ...payload } = entry;
    const read = () => this.#say([entry]);
    const action = status === "unread" ? element("button", { type: "button", click: read }, "Mark read") : undefined;
    return { payload, streamID, status, action };
  }
}

/** Who reads one after the other with the keyboard goes on from where the last one was. */
function goToNextButton(list) {
  const row = document.activeElement.closest(".card");
  if (!row || document.activeElement.matches(".foot button")) return;
  const rows = [...list.children];
  const next = [...rows.slice(rows.indexOf(row)), ...rows].find((candidate) => candidate.querySelector(".foot button"));
  next?.querySelector(".foot button").focus();
}
