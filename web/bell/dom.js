// Making nodes. Text only ever becomes text nodes, and nothing is written to style attributes, so that it is safe and works
// under any content security policy.

/**
 * Makes an element. Functions are listeners, `true` is an attribute without a value, absent values are left out.
 * Children that are strings become text nodes.
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== undefined && child !== ""));
  return node;
}

/** Sets what differs only, so that nothing is announced or laid out anew for nothing. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Puts `nodes`, and nothing else, into `parent`, moving only what is not where it belongs. */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let position = parent.firstElementChild;
  for (const node of nodes) {
    if (node === position) position = position.nextElementSibling;
    else parent.insertBefore(node, position);
  }
}

/** Moves the focus among `nodes` by arrow keys, Home and End. @returns {boolean} whether the key was one of them */
export function moveFocus(event, nodes, { horizontal = false } = {}) {
  const isRightToLeft = getComputedStyle(event.currentTarget).direction === "rtl";
  const across = isRightToLeft ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
  const [back, on] = horizontal ? across : ["ArrowUp", "ArrowDown"];
  const index = nodes.findIndex((node) => node.matches(":focus, :focus-within"));
  const targets = { [back]: Math.max(index - 1, 0), [on]: Math.min(index + 1, nodes.length - 1), Home: 0, End: nodes.length - 1 };
  const target = nodes[targets[event.key]];
  if (!target || event.altKey || event.ctrlKey || event.metaKey) return false;
  event.preventDefault();
  target.focus();
  target.scrollIntoView({ block: "nearest" });
  return true;
}
