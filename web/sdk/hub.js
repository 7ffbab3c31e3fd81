// The hub's HTTP: who asks, how paths are made, and what answers mean.

import { parse, stringify } from "../lossless.js";
import { meaningOfAnswer, retryAfterMs } from "./closes.js";

const answerTimeoutMs = 15_000;

/** What the hub, or the way to it, said against a request. `status` is 0 where no answer came. */
export class HubProblem extends Error {
  constructor({ status = 0, title, detail, error, retryAfterMs: pause }) {
    super(detail ?? title ?? `HTTP ${status}`);
    this.name = "HubProblem";
    this.status = status;
    this.title = title;
    this.code = error;
    this.retryAfterMs = pause;
  }

  /** Whether the same request may succeed later. */
  get passes() {
    return this.status === 0 || this.status >= 500 || [408, 425, 429].includes(this.status);
  }

  /** What it means for a connection. */
  get meaning() {
    const { status, title, message: detail, code } = this;
    return meaningOfAnswer({ status, retryAfterMs: this.retryAfterMs, problem: { title, detail, code } });
  }
}

/** @typedef {{id: number | bigint | string, login: string}} User */

export class Hub {
  /** @param {{url: string | URL, user?: User, token?: string}} options */
  constructor({ url, user, token }) {
    this.url = new URL(url);
    // Paths are added to it, so it may be a prefix of a reverse proxy.
    if (!this.url.pathname.endsWith("/")) this.url.pathname += "/";
    this.url.search = "";
    this.url.hash = "";
    this.token = token;
    this.user = user && { user_id: idText(user.id), login: user.login };
  }

  /** Names hub and user, for what tabs share. A token is a secret and stands in no name. */
  get name() {
    const who = this.user ? `${this.user.user_id}-${this.user.login}` : `token ${fingerprint(this.token)}`;
    return `${this.url.href} ${who}`;
  }

  /** An address with the user and further parameters; those without a value are left out. */
  address(path, parameters = {}) {
    const url = new URL(path, this.url);
    for (const [name, value] of Object.entries({ ...this.user, ...parameters })) {
      if (value !== undefined && value !== "" && value !== false) url.searchParams.set(name, String(value));
    }
    // To the hub a plus is a plus, where browsers write one for a space.
    url.search = url.search.replaceAll("+", "%20");
    return url;
  }

  webSocketAddress(parameters) {
    // Browsers let pages set no headers here.
    const url = this.address("ws", { ...parameters, token: this.token });
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url;
  }

  /** A request as `fetch` gives it. @throws {HubProblem} where no answer came */
  async request(path, { method = "GET", parameters, body, headers, signal, timeoutMs = answerTimeoutMs } = {}) {
    const all = { Accept: "application/json", ...headers };
    if (this.token) all.Authorization = `Bearer ${this.token}`;
    if (body !== undefined) all["Content-Type"] = "application/json";
    const signals = [signal, timeoutMs && AbortSignal.timeout(timeoutMs)].filter(Boolean);
    const request = { method, headers: all, cache: "no-store", credentials: "same-origin", signal: AbortSignal.any(signals) };
    if (body !== undefined) request.body = stringify(body);
    // What the user did shortly before leaving the page still gets through.
    if (method !== "GET") request.keepalive = true;
    try {
      return await fetch(this.address(path, parameters), request);
    } catch (error) {
      const detail = signal?.aborted ? "given up" : `the hub did not answer (${error.message})`;
      throw new HubProblem({ title: "No connection", detail });
    }
  }

  /** A request's JSON. @throws {HubProblem} where it did not succeed */
  async call(path, options) {
    const response = await this.request(path, options);
    if (!response.ok) throw await problemOf(response);
    return parseJSON(response);
  }
}

/** The JSON of an answer, integers beyond 2^53 as BigInt. */
export async function parseJSON(response) {
  try {
    return parse(await response.text());
  } catch (error) {
    throw new HubProblem({ status: error instanceof SyntaxError ? 502 : 0, title: "Unreadable answer", detail: error.message });
  }
}

/** What an answer that is no success says. */
export async function problemOf(response) {
  let problem = {};
  try {
    if (/[/+]json\b/.test(response.headers.get("Content-Type") ?? "")) problem = parse(await response.text());
  } catch {
    // The status says enough.
  }
  return new HubProblem({ ...problem, status: response.status, retryAfterMs: retryAfterMs(response.headers.get("Retry-After")) });
}

function idText(id) {
  if (typeof id === "number" && !Number.isSafeInteger(id)) throw new TypeError("a user id beyond 2^53 must be a BigInt or a text");
  return String(id);
}

/** Tells tokens apart; not a cryptographic one, which pages over plain HTTP do not have. */
function fingerprint(text = "") {
  let hash = 0xcbf29ce484222325n;
  for (const unit of text) hash = BigInt.asUintN(64, (hash ^ BigInt(unit.codePointAt(0))) * 0x100000001b3n);
  return hash.toString(36);
}
