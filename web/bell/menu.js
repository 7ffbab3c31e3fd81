// The choices for one notification.

import { isHidden } from "../sdk/item.js";
import { make, moveFocus } from "./dom.js";
import { icon } from "./icons.js";
import { snoozeChoices } from "./times.js";

const gapPx = 4;

export class Menu {
  #view;
  #row;

  /** @param {object} view `words`, `times`, and `act(verb, item, until)` */
  constructor(view) {
    this.#view = view;
    const listeners = { keydown: (event) => this.#key(event), toggle: (event) => event.newState === "closed" && this.#closed() };
    this.element = make("div", { part: "menu", class: "menu", popover: "auto", role: "menu", ...listeners });
  }

  open(row) {
    this.#row = row;
    this.element.replaceChildren(...this.#entries(row.item));
    this.element.setAttribute("aria-label", row.more.getAttribute("aria-label"));
    row.more.setAttribute("aria-expanded", "true");
    row.element.classList.add("chosen");
    this.element.showPopover();
    this.#place(row.more);
    this.#choices()[0].focus();
  }

  close() {
    if (this.element.matches(":popover-open")) this.element.hidePopover();
  }

  #entries(item) {
    const { words, times } = this.#view;
    const isUnread = item.status === "unread";
    const entry = (name, label, verb, until) => this.#entry(name, label, verb, until, until && times.ahead(until));
    const parts = [isUnread ? entry("check", words.markRead, "read") : entry("unread", words.markUnread, "unread")];
    if (item.archived) parts.push(entry("back", words.unarchive, "unarchive"));
    else if (isHidden(item)) parts.push(entry("back", words.unsnooze, "unsnooze"));
    else {
      parts.push(entry("archive", words.archive, "archive"), make("hr"));
      parts.push(make("div", { class: "caption", role: "presentation" }, words.snooze));
      for (const { label, until } of snoozeChoices(words)) parts.push(entry("clock", label, "snooze", until));
    }
    parts.push(make("hr"), entry("trash", words.remove, "delete"));
    return parts;
  }

  #entry(name, label, verb, until, note) {
    const choose = () => {
      const { item, more } = this.#row;
      this.close();
      // Before the row goes, so that its neighbour gets the focus.
      more.focus();
      this.#view.act(verb, item, until);
    };
    const attributes = { type: "button", role: "menuitem", part: "menu-item", class: `choice ${verb}`, tabindex: "-1" };
    const when = note ? make("span", { class: "when" }, note) : undefined;
    return make("button", { ...attributes, click: choose }, icon(name), make("span", {}, label), when);
  }

  #choices() {
    return [...this.element.querySelectorAll("[role=menuitem]")];
  }

  #key(event) {
    event.stopPropagation();
    if (event.key === "Tab") {
      event.preventDefault();
      this.close();
    }
    moveFocus(event, this.#choices());
  }

  #closed() {
    // The focus is in what was hidden, or was dropped with it.
    const focused = this.element.getRootNode().activeElement;
    const hadFocus = focused === null || this.element.contains(focused);
    const { more, element } = this.#row;
    more.setAttribute("aria-expanded", "false");
    element.classList.remove("chosen");
    if (hadFocus && more.isConnected) more.focus();
  }

  /** Beside the button that opened it, inside the window. */
  #place(button) {
    const at = button.getBoundingClientRect();
    const own = this.element.getBoundingClientRect();
    const isRightToLeft = getComputedStyle(this.element).direction === "rtl";
    const left = isRightToLeft ? at.left : at.right - own.width;
    const below = at.bottom + gapPx;
    const top = below + own.height > innerHeight - gapPx ? Math.max(gapPx, at.top - gapPx - own.height) : below;
    this.element.style.setProperty("--x", `${Math.min(Math.max(gapPx, left), innerWidth - own.width - gapPx)}px`);
    this.element.style.setProperty("--y", `${top}px`);
  }
}
