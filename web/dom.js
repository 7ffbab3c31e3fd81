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

const rowsOf = new WeakMap();

/**
 * Shows one row per item in the items' order. Rows are kept by key, so that focus, selection and scrolling outlive a refresh.
 */
export function showRows(container, items, keyOf, makeRow) {
  const known = rowsOf.get(container) ?? new Map();
  const rows = new Map();
  for (const item of items) {
    const key = keyOf(item);
    rows.set(key, known.get(key) ?? makeRow(item));
  }
  for (const [key, row] of known) {
    if (!rows.has(key)) row.remove();
  }
  let position = container.firstElementChild;
  for (const row of rows.values()) {
    if (row === position) position = position.nextElementSibling;
    else container.insertBefore(row, position);
  }
  rowsOf.set(container, rows);
}

/** Shows what went wrong, with the fields that a validation problem names; nothing when `problem` is undefined. */
export function showProblem(container, problem) {
  if (!problem) return container.replaceChildren();
  const text = `${problem.title ?? "Error"}: ${problem.detail ?? problem.message}`;
  if (container.dataset.text === text && container.hasChildNodes()) return;
  container.dataset.text = text;
  const fields = (problem.fields ?? []).map((field) => element("li", {}, element("code", {}, field.pointer), " " + field.detail));
  container.replaceChildren(
    element("p", { class: "problem" }, text),
    ...(fields.length > 1 ? [element("ul", { class: "problem" }, ...fields)] : []),
  );
}

const timeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

/** An instant in the reader's own zone; a text that is no instant is shown as it is. */
export function timeElement(instant) {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime())) return element("span", {}, String(instant));
  return element("time", { datetime: time.toISOString(), title: String(instant) }, timeFormat.format(time));
}

/**
 * Runs `work` now and `seconds` after each run has ended, while the page is visible.
 * @returns a function that runs it at once
 */
export function every(seconds, work) {
  let timer;
  let running = false;
  let again = false;
  async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    clearTimeout(timer);
    try {
      do {
        again = false;
        await work();
      } while (again);
    } finally {
      running = false;
      timer = setTimeout(() => document.hidden || run(), seconds * 1000);
    }
  }
  document.addEventListener("visibilitychange", () => document.hidden || run());
  run();
  return run;
}
