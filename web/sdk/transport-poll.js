// The list asked for again and again, each time answered when it has changed: where something on the way buffers streams.

import { HubProblem, parseJSON, problemOf } from "./hub.js";

const waitSeconds = 25;
const pageSize = 100;
// Between two answers: nobody needs more, and a hub that does not know how to wait is not asked all the time.
const shortestMs = 250;
const withoutTagMs = 5_000;

/** What a list has to show so that changes can be found by comparing. */
export const wholeList = { limit: pageSize, archived: "any", snoozed: "any" };

/**
 * Polls until it fails; see transport-websocket.js. `asking()` is called before each request; what it gives is passed on to
 * `listed(list, …)`.
 */
export async function runPoll(hub, { opened, asking, listed, signal }) {
  let tag;
  let isFirst = true;
  try {
    while (!signal.aborted) {
      const before = asking();
      const response = await hub.request("api/v1/notifications", {
        parameters: { ...wholeList, wait: isFirst ? undefined : waitSeconds },
        headers: tag ? { "If-None-Match": tag } : undefined,
        signal,
        timeoutMs: (waitSeconds + 15) * 1000,
      });
      if (response.status !== 304) {
        if (!response.ok) return (await problemOf(response)).meaning;
        const list = await parseJSON(response);
        tag = response.headers.get("ETag");
        if (isFirst) opened();
        isFirst = false;
        listed(list, before);
      }
      // A way that takes the tag away leaves nothing to wait for.
      await pause(tag ? shortestMs : withoutTagMs, signal);
    }
    return { reason: "closed by the page" };
  } catch (problem) {
    if (problem instanceof HubProblem) return { reason: problem.message };
    throw problem;
  }
}

const pause = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
