// Text of the documents as nodes: the few marks of Markdown that they use, code, and curl lines. Nothing is ever parsed as HTML.

import { element } from "./dom.js";
import { stringify } from "./lossless.js";

const inlinePattern = /`([^`]+)`|\[([^\]]+)\]\(([\w./#-]+)\)/g;

/** `code` and [links](to files beside this page) become elements, all else stays text. */
export function inline(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(inlinePattern)) {
    const [whole, code, label, address] = match;
    nodes.push(text.slice(end, match.index), code ? element("code", {}, code) : element("a", { href: address }, label));
    end = match.index + whole.length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}

/** Paragraphs, and lists of lines that begin with a dash. */
export function paragraphs(text = "") {
  return text
    .split("\n\n")
    .filter(Boolean)
    .map((block) => {
      const lines = block.split("\n");
      if (!lines.every((line) => line.startsWith("- "))) return element("p", {}, ...inline(block));
      return element("ul", {}, ...lines.map((line) => element("li", {}, ...inline(line.slice(2)))));
    });
}

/** A block of code that can be reached and scrolled with the keyboard, and copied. */
export function codeBlock(text, label) {
  const block = element("pre", { tabindex: "0", role: "region", "aria-label": label }, element("code", {}, text));
  const copy = navigator.clipboard && element("button", { type: "button", class: "copy", "aria-label": `Copy: ${label}` }, "Copy");
  copy?.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Not copied";
    }
    setTimeout(() => (copy.textContent = "Copy"), 2000);
  });
  return element("div", { class: "block" }, block, copy);
}

const lineLength = 80;

/** JSON with everything in one line that fits into one. */
function json(value, margin = "") {
  const line = stringify(value);
  if (value === null || typeof value !== "object" || margin.length + line.length <= lineLength) {
    return line.replaceAll(/("(?:[^"\\]|\\.)*")|([:,])/g, (_, text, mark) => text ?? `${mark} `);
  }
  const inner = `${margin}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => inner + json(item, inner))
    : Object.entries(value).map(([name, item]) => `${inner}${JSON.stringify(name)}: ${json(item, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${parts.join(",\n")}\n${margin}${close}`;
}

/** Examples, each under what it shows. */
export function examples(list, label) {
  return list.map(({ summary, value }) => {
    const text = typeof value === "string" ? value : json(value);
    const caption = summary && element("figcaption", {}, ...inline(summary));
    return element("figure", {}, caption, codeBlock(text, `${label}: ${summary ?? "example"}`));
  });
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The shell line that makes a request, with what is required and the headers that have an example. */
export function curlLine(path, method, parameters, body) {
  const value = (parameter) => String(parameter.example ?? parameter.schema.examples?.[0] ?? "");
  const of = (place) => parameters.filter((parameter) => parameter.in === place);
  const address = path.replace(/{(\w+)}/g, (_, name) => encodeURIComponent(value(parameters.find((one) => one.name === name))));
  const query = of("query").filter((parameter) => parameter.required);
  const search = query.map((parameter) => `${parameter.name}=${encodeURIComponent(value(parameter))}`).join("&");
  const words = ["curl"];
  if (method !== "get" && !(method === "post" && body !== undefined)) words.push(`-X ${method.toUpperCase()}`);
  if (path.endsWith("/stream")) words.push("-N");
  words.push(quoted(new URL(address.slice(1) + (search && `?${search}`), document.baseURI).href));
  if (body !== undefined) words.push("-H 'Content-Type: application/json'");
  for (const header of of("header")) {
    if (header.example !== undefined) words.push(`-H ${quoted(`${header.name}: ${value(header)}`)}`);
  }
  if (body !== undefined) words.push(`-d ${quoted(stringify(body))}`);
  return words.join(" \\\n  ").replace("curl \\\n  ", "curl ");
}
