// The text of `text/event-stream`, piece by piece, without I/O (HTML Living Standard, "Server-sent events").

export class EventStreamParser {
  #rest = "";
  #data = [];
  #event = "";
  #id;
  #isFirst = true;

  /**
   * @param {string} text the next piece, cut anywhere
   * @returns {{events: {event: string, data: string, id?: string}[], retryMs?: number}} `id` is there where the event names one
   */
  push(text) {
    this.#rest += text;
    if (this.#isFirst && this.#rest) {
      this.#rest = this.#rest.replace(/^\uFEFF/, "");
      this.#isFirst = false;
    }
    const result = { events: [] };
    for (;;) {
      const end = this.#rest.search(/\r\n|\n|\r/);
      if (end < 0) return result;
      // A \r at the end of a piece may be the first half of a \r\n.
      if (this.#rest[end] === "\r" && end === this.#rest.length - 1) return result;
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + (this.#rest.startsWith("\r\n", end) ? 2 : 1));
      this.#line(line, result);
    }
  }

  #line(line, result) {
    if (line === "") return this.#dispatch(result);
    const colon = line.indexOf(":");
    // A comment.
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^\d+$/.test(value)) result.retryMs = Number(value);
    return undefined;
  }

  #dispatch(result) {
    if (this.#data.length) result.events.push({ event: this.#event || "message", data: this.#data.join("\n"), id: this.#id });
    this.#data = [];
    this.#event = "";
    this.#id = undefined;
  }
}
