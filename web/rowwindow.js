// A list of any length of which only the rows in view are in the document. Rows are equally high and placed by their index.
//
// Keyboard: the list is one stop for Tab. The arrows, Page Up, Page Down, Home and End go from row to row, left and right from
// one control of a row to the next, as in any grid.

import { showRows } from "./dom.js";

// Rows above and below the view, so that scrolling meets none that is missing.
const spareRows = 8;

export class RowWindow {
  #scroller;
  #list;
  #keyOf;
  #makeRow;
  #updateRow;
  #endSeen;
  #items = [];
  #indexOf = new Map();
  #rowHeight = 40;
  #active = { key: undefined, column: 0 };
  #frame;

  /**
   * @param {HTMLElement} scroller what scrolls; `list` is its last child, and what is above it sticks to the top
   * @param {{keyOf: Function, makeRow: Function, updateRow: Function, endSeen: Function}} options `endSeen()` is called when
   *   the last rows come into view
   */
  constructor(scroller, list, { keyOf, makeRow, updateRow, endSeen }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#keyOf = keyOf;
    this.#makeRow = makeRow;
    this.#updateRow = updateRow;
    this.#endSeen = endSeen;
    scroller.addEventListener("scroll", () => this.#renderSoon(), { passive: true });
    new ResizeObserver(() => this.#renderSoon()).observe(scroller);
    list.addEventListener("keydown", (event) => this.#keyPressed(event));
    list.addEventListener("focusin", (event) => this.#focused(event.target));
  }

  /** Shows these items. Whoever has scrolled, or has the focus in here, keeps the rows where they are. */
  show(items) {
    const anchor = this.#anchor();
    this.#items = items;
    this.#indexOf = new Map(items.map((item, index) => [this.#keyOf(item), index]));
    this.#list.style.height = `${items.length * this.#rowHeight}px`;
    const index = anchor && this.#indexOf.get(anchor.key);
    if (index !== undefined) this.#scroller.scrollTop = index * this.#rowHeight - anchor.above;
    this.#render();
  }

  /** Brings the rows in view up to date with what is beside the items. */
  refresh() {
    this.#render();
  }

  /** The row that stays where it is, and how far its upper edge is from that of the view. */
  #anchor() {
    const { scrollTop } = this.#scroller;
    const holdsFocus = this.#list.contains(document.activeElement);
    if (scrollTop === 0 && !holdsFocus) return undefined;
    let index = Math.floor(scrollTop / this.#rowHeight);
    if (holdsFocus) index = this.#indexOf.get(this.#active.key) ?? index;
    const item = this.#items[index];
    return item && { key: this.#keyOf(item), above: index * this.#rowHeight - scrollTop };
  }

  #viewHeight() {
    return this.#scroller.clientHeight - this.#list.offsetTop;
  }

  #renderSoon() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#render();
    });
  }

  #render() {
    const { scrollTop } = this.#scroller;
    const first = Math.max(0, Math.floor(scrollTop / this.#rowHeight) - spareRows);
    const end = Math.min(this.#items.length, Math.ceil((scrollTop + this.#viewHeight()) / this.#rowHeight) + spareRows);
    const indices = Array.from({ length: Math.max(0, end - first) }, (_, offset) => first + offset);
    this.#addFocused(indices);
    if (!this.#indexOf.has(this.#active.key)) this.#active.key = this.#items.length ? this.#keyOf(this.#items[0]) : undefined;
    // The stop for Tab is a row that is in view.
    const activeIndex = this.#indexOf.get(this.#active.key);
    const stop = indices.includes(activeIndex) ? activeIndex : indices[Math.min(spareRows, indices.length - 1)];
    const place = (row, index) => this.#place(row, index, index === stop);
    showRows(
      this.#list,
      indices,
      (index) => this.#keyOf(this.#items[index]),
      (index) => place(this.#makeRow(this.#items[index]), index),
      place,
    );
    this.#measure();
    if (end === this.#items.length && end > 0) this.#endSeen();
  }

  /** The row with the focus stays in the document wherever it is: to remove it would lose the focus. */
  #addFocused(indices) {
    if (!this.#list.contains(document.activeElement)) return;
    const index = this.#indexOf.get(this.#active.key);
    if (index === undefined || indices.includes(index)) return;
    if (index < indices[0]) indices.unshift(index);
    else indices.push(index);
  }

  #place(row, index, isStop) {
    row.style.top = `${index * this.#rowHeight}px`;
    // The heading is row 1.
    row.setAttribute("aria-rowindex", index + 2);
    controlsOf(row).forEach((control) => (control.tabIndex = isStop ? 0 : -1));
    this.#updateRow(row, this.#items[index]);
    return row;
  }

  /** The style sheet decides how high a row is. */
  #measure() {
    const height = this.#list.firstElementChild?.offsetHeight;
    if (!height || height === this.#rowHeight) return;
    this.#rowHeight = height;
    this.#list.style.height = `${this.#items.length * height}px`;
    this.#render();
  }

  #focused(target) {
    const row = this.#rowOf(target);
    const item = this.#items[row?.getAttribute("aria-rowindex") - 2];
    if (item) this.#active = { key: this.#keyOf(item), column: Math.max(0, controlsOf(row).indexOf(target)) };
  }

  #rowOf(target) {
    return [...this.#list.children].find((row) => row.contains(target));
  }

  #keyPressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const index = this.#indexOf.get(this.#active.key);
    if (index === undefined) return;
    const page = Math.max(1, Math.floor(this.#viewHeight() / this.#rowHeight) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -index, End: this.#items.length };
    const columns = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key in steps) this.#goTo(index + steps[event.key], this.#active.column);
    else if (event.key in columns) this.#goTo(index, this.#active.column + columns[event.key]);
    else return;
    event.preventDefault();
  }

  #goTo(wanted, column) {
    const index = Math.max(0, Math.min(this.#items.length - 1, wanted));
    const top = index * this.#rowHeight;
    const { scrollTop } = this.#scroller;
    const lowest = top + this.#rowHeight - this.#viewHeight();
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (lowest > scrollTop) this.#scroller.scrollTop = lowest;
    this.#active.key = this.#keyOf(this.#items[index]);
    this.#render();
    const row = [...this.#list.children].find((candidate) => Number(candidate.getAttribute("aria-rowindex")) === index + 2);
    const controls = controlsOf(row);
    controls[Math.max(0, Math.min(controls.length - 1, column))].focus({ preventScroll: true });
  }
}

const controlsOf = (row) => [...row.querySelectorAll("input, button")];
