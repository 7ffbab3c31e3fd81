// JSON without loss: integers that a double cannot hold become BigInt on the way in and are written as they were on the way
// out. User ids reach 2^63-1, where JSON.parse silently rounds.

const tokenPattern = /[ \t\n\r]*(?:([{}[\],:])|(")|(-?\d[\d.eE+-]*|true|false|null))/y;
const spacePattern = /[ \t\n\r]*$/y;

/**
 * Parses a JSON text. Integers outside ±(2^53-1) are BigInt, all else is what JSON.parse would give.
 * @throws {SyntaxError} when the text is not JSON
 */
export function parse(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const reader = { text, position: 0 };
  const value = readValue(reader, next(reader));
  spacePattern.lastIndex = reader.position;
  if (!spacePattern.test(text)) fail(reader);
  return value;
}

function fail(reader) {
  throw new SyntaxError(`not JSON at character ${reader.position}`);
}

function next(reader) {
  tokenPattern.lastIndex = reader.position;
  const match = tokenPattern.exec(reader.text);
  if (!match) fail(reader);
  reader.position = tokenPattern.lastIndex;
  const [, mark, quote, scalar] = match;
  return quote ? { string: restOfString(reader) } : { mark, scalar };
}

/** Reads on from an opening quote. By hand, since a pattern runs out of stack on a long string full of escapes. */
function restOfString(reader) {
  const { text, position } = reader;
  let end = position - 1;
  let slash;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) fail(reader);
    slash = end;
    while (text[slash - 1] === "\\") slash -= 1;
  } while ((end - slash) % 2);
  reader.position = end + 1;
  return JSON.parse(text.slice(position - 1, end + 1));
}

function readValue(reader, token) {
  if (token.string !== undefined) return token.string;
  if (token.scalar !== undefined) return readScalar(token.scalar);
  if (token.mark === "[") return readArray(reader);
  if (token.mark === "{") return readObject(reader);
  return fail(reader);
}

function readScalar(text) {
  const value = JSON.parse(text);
  return typeof value === "number" && /^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : value;
}

function readArray(reader) {
  const items = [];
  let token = next(reader);
  if (token.mark === "]") return items;
  for (;;) {
    items.push(readValue(reader, token));
    token = next(reader);
    if (token.mark === "]") return items;
    if (token.mark !== ",") fail(reader);
    token = next(reader);
  }
}

function readObject(reader) {
  const members = [];
  let token = next(reader);
  // Object.fromEntries makes own members even of "__proto__", where assignment would set the prototype.
  if (token.mark === "}") return {};
  for (;;) {
    if (token.string === undefined || next(reader).mark !== ":") fail(reader);
    members.push([token.string, readValue(reader, next(reader))]);
    token = next(reader);
    if (token.mark === "}") return Object.fromEntries(members);
    if (token.mark !== ",") fail(reader);
    token = next(reader);
  }
}

/**
 * Writes a value as JSON, BigInt as a bare integer. Members that are undefined are left out.
 * @param {number} indent spaces per level; 0 writes one line
 */
export function stringify(value, indent = 0, level = 0) {
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const isArray = Array.isArray(value);
  const parts = isArray
    ? value.map((item) => stringify(item, indent, level + 1))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([name, item]) => `${JSON.stringify(name)}:${indent ? " " : ""}${stringify(item, indent, level + 1)}`);
  const [open, close] = isArray ? "[]" : "{}";
  if (!indent || !parts.length) return open + parts.join(",") + close;
  const margin = "\n" + " ".repeat(indent * level);
  const inner = margin + " ".repeat(indent);
  return open + inner + parts.join("," + inner) + margin + close;
}
