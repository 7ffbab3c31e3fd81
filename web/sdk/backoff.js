// How long to wait before the next try: random between nothing and a bound that doubles ("full jitter"), so that the devices
// of a lost server do not all come back at the same moment.

export class Backoff {
  #failures = 0;
  #firstMs;
  #longestMs;
  #random;

  constructor({ firstMs = 500, longestMs = 20_000, random = Math.random } = {}) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#random = random;
  }

  /** The next pause in milliseconds. A hint of the server comes on top of nothing but itself; `atLeastMs` is a lower bound. */
  next({ hintMs, atLeastMs = 0 } = {}) {
    const bound = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    const jitter = this.#random() * bound;
    return hintMs === undefined ? atLeastMs + jitter : hintMs;
  }

  /** It worked: the next failure is the first one again. */
  reset() {
    this.#failures = 0;
  }
}
