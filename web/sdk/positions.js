// How far a session has heard, one stream id for each stream: what `since` says when it comes back.

import { compareStreamIds, splitStreamId } from "./ids.js";

export class Positions {
  #byTopic = new Map();

  /** @param {string} [text] as `toString` gives it, or as `last_stream_id` says it */
  constructor(text) {
    if (text) this.advance(text);
  }

  /** Takes in one or more ids. Positions never go back; what is no stream id is left out. */
  advance(text) {
    for (const id of String(text).split(",")) {
      const parts = splitStreamId(id);
      if (!parts) continue;
      const known = this.#byTopic.get(parts.topic);
      if (!known || compareStreamIds(id, known) > 0) this.#byTopic.set(parts.topic, id);
    }
  }

  /** Whether a stream id is of a moment that was told already. */
  covers(id) {
    const known = this.#byTopic.get(splitStreamId(id).topic);
    return known !== undefined && compareStreamIds(id, known) <= 0;
  }

  /** The value for `since`; empty where nothing is known. */
  toString() {
    return [...this.#byTopic.values()].join(",");
  }
}
