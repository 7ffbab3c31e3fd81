// Calls to the server. Paths are relative, so that the page also works below a prefix of a reverse proxy.

import { parse, stringify } from "./lossless.js";

const answerTimeoutMs = 10_000;

/** What the server (or the way to it) said against a request: the members of an RFC 9457 document. */
export class Problem extends Error {
  constructor({ title, detail, status, fields }) {
    super(detail);
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.fields = fields ?? [];
  }
}

/** How far the server's clock is ahead of this one, to a second. Ages are told by the clock that made the times. */
let clockAheadMs = 0;
export const serverNow = () => Date.now() + clockAheadMs;

/**
 * Sends a request and gives the parsed JSON (or the text, where the answer is not JSON).
 * @param {{body?: object, accept?: number[]}} options `accept`: statuses beyond 2xx whose body is the answer
 * @throws {Problem}
 */
export async function call(path, { body, accept = [] } = {}) {
  const request = { cache: "no-store", signal: AbortSignal.timeout(answerTimeoutMs) };
  if (body !== undefined) {
    Object.assign(request, { method: "POST", body: stringify(body), headers: { "Content-Type": "application/json" } });
  }
  let response;
  let text;
  try {
    response = await fetch(path, request);
    text = await response.text();
  } catch {
    throw new Problem({ title: "No connection", detail: "the server did not answer" });
  }
  const date = Date.parse(response.headers.get("Date"));
  if (date) clockAheadMs = date - Date.now();
  const isJSON = /[/+]json\b/.test(response.headers.get("Content-Type") ?? "");
  const answer = isJSON ? parse(text) : text;
  if (response.ok || (isJSON && accept.includes(response.status))) return answer;
  throw new Problem({
    title: answer.title ?? `HTTP ${response.status}`,
    detail: answer.detail ?? (response.statusText || "no details were given"),
    status: response.status,
    fields: answer.errors,
  });
}

/** Says a user as people write it, and as Redis keys hold it. */
export const userKey = (user) => `${user.id}-${user.login}`;

/** Reads a user from the `id` and `login` fields of a form. An id of digits is a number however long, any other a text. */
export function userOf(form) {
  const id = form.elements.id.value.trim();
  return { id: /^\d+$/.test(id) ? parse(id.replace(/^0+(?=\d)/, "")) : id, login: form.elements.login.value.trim() };
}

/** Writes a user into the fields that `userOf` reads. */
export function fillUser(form, user) {
  form.elements.id.value = String(user.id);
  form.elements.login.value = user.login;
}

/** The user as query parameters. */
export const userQuery = (user) => new URLSearchParams({ user_id: String(user.id), login: user.login });
