// The few things that every panel does with the document. Text from the server only ever becomes text nodes.

export const byID = (id) => document.getElementById(id);

/** Makes an element. Children that are strings become text nodes; absent or empty children and attributes are left out. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return node;
}

/** Sets a text unless it is there already: setting it would drop a selection, and have it announced again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// What tells the names of pods apart is at their end.
const tailLength = 7;

/** A name whose middle is left out where there is no room for all of it. */
export function nameElement(tag, name) {
  const tail = name.length > 2 * tailLength ? tailLength : 0;
  const head = element("span", {}, name.slice(0, name.length - tail));
  return element(tag, { class: "name-cut", title: name }, head, element("span", {}, tail ? name.slice(-tail) : ""));
}

const rowsOf = new WeakMap();

/**
 * Shows one row per item in the items' order. Rows are kept by key, so that focus and selection outlive a refresh.
 * @param {(row, item) => void} updateRow brings a row that stayed up to date
 */
export function showRows(container, items, keyOf, makeRow, updateRow) {
  const known = rowsOf.get(container) ?? new Map();
  const rows = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const row = known.get(key);
    if (row) updateRow?.(row, item);
    rows.set(key, row ?? makeRow(item));
  }
  for (const [key, row] of known) {
    if (!rows.has(key)) row.remove();
  }
  let position = container.firstElementChild;
  for (const row of rows.values()) {
    if (row === position) position = position.nextElementSibling;
    else place(container, row, position);
  }
  rowsOf.set(container, rows);
}

/** Puts a row before `position`, without taking the focus from it where the browser can do that. */
function place(container, row, position) {
  const isMoved = row.parentNode === container;
  if (isMoved && container.moveBefore) return container.moveBefore(row, position);
  const focused = isMoved && row.contains(document.activeElement) ? document.activeElement : undefined;
  container.insertBefore(row, position);
  focused?.focus({ preventScroll: true });
}

/** Does `work` on the children of `list` so that what is visible of them in `scroller` stays where it is. */
export function keepingScroll(scroller, list, work) {
  const top = scroller.getBoundingClientRect().top;
  // Who looks at the beginning wants to see what is new there.
  const anchor =
    scroller.scrollTop > 0 && [...list.children].find((row) => row.getBoundingClientRect().bottom > top && row.isConnected);
  const before = anchor && anchor.getBoundingClientRect().top;
  work();
  if (anchor?.isConnected) scroller.scrollTop += anchor.getBoundingClientRect().top - before;
}

/** Shows what went wrong, with the fields that a validation problem names; nothing when `problem` is undefined. */
export function showProblem(container, problem) {
  if (!problem) return container.replaceChildren();
  const text = `${problem.title ?? "Error"}: ${problem.detail ?? problem.message}`;
  // The same again would be announced again.
  if (container.querySelector(":scope > p.problem")?.textContent === text) return;
  const fields = (problem.fields ?? []).map((field) => element("li", {}, element("code", {}, field.pointer), " " + field.detail));
  container.replaceChildren(
    element("p", { class: "problem" }, text),
    ...(fields.length > 1 ? [element("ul", { class: "problem" }, ...fields)] : []),
  );
}

/** Shows of a panel whether its last refresh failed: what it lists is then the last known state, and grey. */
export function showRefresh(name, panel, problem) {
  panel.classList.toggle("stale", Boolean(problem));
  panel.removeAttribute("aria-busy");
  showProblem(byID(`${name}-problem`), problem);
}

const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** An instant in the reader's own zone, with the day unless it is today; a text that is no instant is shown as it is. */
export function timeElement(instant) {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime())) return element("span", {}, String(instant));
  const isToday = time.toDateString() === new Date().toDateString();
  const text = (isToday ? timeFormat : dayFormat).format(time);
  return element("time", { datetime: time.toISOString(), title: fullFormat.format(time) }, text);
}

const numberFormat = new Intl.NumberFormat();
export const numberText = (number) => numberFormat.format(number);

/** "1 user", "2 users". */
export const counted = (number, noun) => `${numberText(number)} ${noun}${number === 1 ? "" : "s"}`;
