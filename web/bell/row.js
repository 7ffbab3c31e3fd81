// One notification in the list.

import { isHidden } from "../sdk/item.js";
import { make, setText } from "./dom.js";
import { icon } from "./icons.js";

const priorities = new Set(["high", "urgent"]);

export class Row {
  #time;
  #read;
  #state;
  #view;

  /** @param {import("../sdk/item.js").Item} item @param {object} view words, times, and what to do: `open`, `act`, `menu` */
  constructor(item, view) {
    this.item = item;
    this.#view = view;
    const { words, times } = view;
    const moment = Date.parse(item.createdAt);
    this.moment = Number.isNaN(moment) ? 0 : moment;
    this.#time = make("time", { part: "time", class: "time", datetime: item.createdAt, title: times.full(this.moment) });
    this.#state = make("span", { class: "unseen" });
    const open = (event) => view.open(this.item, event);
    this.button = make(
      "button",
      { type: "button", class: "open", part: "open", tabindex: "-1", click: open, auxclick: open },
      this.#state,
      item.title ? make("span", { part: "item-title", class: "title", dir: "auto" }, item.title) : undefined,
      make("span", { part: "item-message", class: item.title ? "message" : "message alone", dir: "auto" }, item.message),
      this.#meta(),
    );
    const action = { type: "button", part: "action", tabindex: "-1" };
    this.#read = make("button", { ...action, class: "small read", click: () => this.#toggleRead() });
    const name = item.title ?? item.message.slice(0, 60);
    const opener = { "aria-label": words.more(name), "aria-haspopup": "menu", click: () => view.menu(this) };
    this.more = make("button", { ...action, class: "small more", ...opener }, icon("more"));
    const side = make("span", { class: "side" }, this.#time, make("span", { class: "actions" }, this.#read, this.more));
    this.element = make("li", { part: "item", class: "row" }, this.#tile(), this.button, side);
    this.element.dataset.id = item.id;
    this.update(item);
  }

  /** Shows another state of the same notification. */
  update(item) {
    const { words, times } = this.#view;
    const isUnread = item.status === "unread";
    this.item = item;
    this.element.classList.toggle("unread", isUnread);
    this.element.part.toggle("unread", isUnread);
    const isSnoozed = item.snoozedUntil !== undefined && isHidden(item) && !item.archived;
    setText(this.#state, isUnread ? `${words.isUnread} ` : "");
    setText(this.note, isSnoozed ? words.snoozedUntil(times.ahead(Date.parse(item.snoozedUntil))) : "");
    const label = isUnread ? words.markRead : words.markUnread;
    if (this.#read.title !== label) {
      this.#read.title = label;
      this.#read.setAttribute("aria-label", label);
      this.#read.replaceChildren(icon(isUnread ? "check" : "unread"));
    }
    this.tick();
  }

  /** Time goes on. */
  tick(now) {
    setText(this.#time, this.#view.times.short(this.moment, now));
  }

  /** Whether the tabulator key stops here, and at the row's buttons. */
  set isCurrent(value) {
    for (const node of [this.button, this.#read, this.more]) node.tabIndex = value ? 0 : -1;
  }

  #toggleRead() {
    this.#view.act(this.item.status === "unread" ? "read" : "unread", this.item);
  }

  /** A coloured initial, so that the same sender looks the same. */
  #tile() {
    const { item } = this;
    const sender = item.source ?? item.channel ?? item.type ?? item.title ?? item.message;
    const initial = [...sender.trim()][0]?.toUpperCase() ?? "•";
    const tile = make("span", { part: "tile", class: "tile", "aria-hidden": "true" }, initial);
    let hash = 7;
    for (const unit of sender) hash = (hash * 31 + unit.codePointAt(0)) % 360;
    tile.style.setProperty("--hue", hash);
    return tile;
  }

  #meta() {
    const { item } = this;
    const { words } = this.#view;
    this.note = make("span", { class: "note" });
    const from = [item.source, item.channel && `#${item.channel}`].filter(Boolean).join(" · ");
    const { priority } = item;
    const isRaised = priorities.has(priority);
    return make(
      "span",
      { part: "meta", class: "meta" },
      isRaised ? make("span", { part: "priority", class: `priority ${priority}` }, words[priority]) : undefined,
      from ? make("span", { class: "from", dir: "auto" }, from) : undefined,
      this.note,
    );
  }
}
