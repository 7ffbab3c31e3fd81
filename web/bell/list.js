// The notifications of a view, newest first, under headings for days. Rows are kept by id, so that focus, selection and scrolling
// outlive every change. A thousand scroll smoothly, because only as many are made as the reader has scrolled to, and browsers
// do not lay out those beyond the edge (content-visibility).

import { arrange, make, moveFocus, setText } from "./dom.js";
import { Row } from "./row.js";
import { dayOf } from "./times.js";

const step = 40;

export class List {
  #view;
  #rows = new Map();
  #days = new Map();
  #shown = step;
  #items = [];
  #current;

  /** @param {object} view see row.js */
  constructor(view) {
    this.#view = view;
    const attributes = { part: "list", class: "list", role: "group", "aria-label": view.words.list };
    const listeners = { keydown: (event) => this.#key(event), focusin: (event) => this.#focused(event) };
    this.element = make("div", { ...attributes, ...listeners });
  }

  get size() {
    return this.#items.length;
  }

  /** Whether there are some that were not made yet. */
  get hasMore() {
    return this.#shown < this.#items.length;
  }

  showMore() {
    this.#shown += step;
    this.show(this.#items);
  }

  /** Begins at the top again, as a new view does. */
  reset() {
    this.#shown = step;
    this.#current = undefined;
  }

  show(items, now = Date.now()) {
    const place = this.#placeOfFocus();
    this.#items = items;
    const shown = items.slice(0, this.#shown);
    const kept = new Map();
    const days = new Map();
    for (const item of shown) {
      const row = this.#row(item);
      kept.set(item.id, row);
      const day = dayOf(row.moment);
      if (!days.has(day)) days.set(day, []);
      days.get(day).push(row.element);
    }
    this.#rows = kept;
    const sections = [...days].sort(([a], [b]) => b - a).map(([day, rows]) => this.#day(day, rows, now));
    for (const day of this.#days.keys()) if (!days.has(day)) this.#days.delete(day);
    arrange(this.element, sections);
    this.#keepFocus(place);
  }

  /** Time goes on: relative times, and at midnight the headings. */
  tick(now = Date.now()) {
    for (const row of this.#rows.values()) row.tick(now);
    for (const [day, { heading }] of this.#days) setText(heading, this.#view.times.day(day, now));
  }

  focusFirst() {
    this.#focusable()[0]?.focus();
  }

  #row(item) {
    const row = this.#rows.get(item.id);
    if (!row) return new Row(item, this.#view);
    if (row.item !== item) row.update(item);
    return row;
  }

  #day(day, rows, now) {
    let known = this.#days.get(day);
    if (!known) {
      const heading = make("h3", { part: "day", class: "day" });
      const list = make("ul", { role: "list" });
      known = { heading, list, section: make("section", {}, heading, list) };
      this.#days.set(day, known);
    }
    setText(known.heading, this.#view.times.day(day, now));
    arrange(known.list, rows);
    return known.section;
  }

  // Focus

  #focusable() {
    return [...this.element.querySelectorAll(".open")];
  }

  #key(event) {
    const buttons = this.#focusable();
    const row = this.#rowOf(event.target);
    if (event.key === "ArrowUp" && row?.button === buttons[0] && event.target === buttons[0]) return;
    if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      event.preventDefault();
      if (row) this.#view.menu(row);
      return;
    }
    const from = row ? buttons.indexOf(row.button) : -1;
    // Within a row, the keys go by rows, too.
    if (from >= 0 && event.target !== row.button && ["ArrowUp", "ArrowDown"].includes(event.key)) row.button.focus();
    if (moveFocus(event, buttons) && event.key === "End" && this.hasMore) this.showMore();
    if (["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) event.stopPropagation();
  }

  #focused(event) {
    const row = this.#rowOf(event.target);
    if (row) this.#setCurrent(row);
  }

  #rowOf(node) {
    return this.#rows.get(node.closest?.("[data-id]")?.dataset.id);
  }

  #setCurrent(row) {
    if (this.#current && this.#current !== row) this.#current.isCurrent = false;
    this.#current = row;
    if (row) row.isCurrent = true;
  }

  #placeOfFocus() {
    const row = this.#current;
    return row?.element.matches(":focus-within") ? this.#focusable().indexOf(row.button) : undefined;
  }

  /** Where the focused row went away, its neighbour has the focus now. Without focus, keys begin at the top. */
  #keepFocus(place) {
    if (place !== undefined && this.#rows.get(this.#current.item.id) === this.#current) return;
    const buttons = this.#focusable();
    const button = buttons[Math.min(place ?? 0, buttons.length - 1)];
    this.#setCurrent(button && this.#rowOf(button));
    if (place !== undefined) (button ?? this.#view.fallbackFocus()).focus();
  }
}
