// Frames as server-sent events, where WebSockets are blocked.
//
// By `fetch` and not by EventSource, which tells neither the status nor Retry-After of a refusal, sends no Authorization,
// and reconnects by rules of its own.

import { parse } from "../lossless.js";
import { EventStreamParser } from "./event-stream.js";
import { HubProblem, problemOf } from "./hub.js";

// The hub sends a comment every 25 s.
const silenceMs = 60_000;

/** Runs one stream until it ends; see transport-websocket.js. */
export async function runEventStream(hub, { parameters, patienceMs, opened, heard, garbled, isStuck, signal }) {
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const stream = { hasHeard: false, isForgotten: false, hintMs: undefined, blocked: false };
  let timer;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(
      async () => {
        if (stream.hasHeard) return ended.abort();
        if (!(await isStuck())) return watch();
        stream.blocked = true;
        return ended.abort();
      },
      stream.hasHeard ? silenceMs : patienceMs,
    );
  };
  watch();
  try {
    const response = await hub.request("api/v1/stream", {
      parameters,
      headers: { Accept: "text/event-stream" },
      signal: both,
      timeoutMs: 0,
    });
    if (!response.ok) return refusal(await problemOf(response));
    const type = response.headers.get("Content-Type") ?? "";
    if (!type.startsWith("text/event-stream")) return { blocked: true, reason: `${type} instead of an event stream` };
    opened();
    await read(response.body, { stream, watch, heard, garbled });
  } catch (problem) {
    if (problem instanceof HubProblem && !stream.blocked) return { reason: problem.message, neverOpened: true };
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
  if (stream.blocked) return { blocked: true, reason: "nothing came over the event stream" };
  return { reason: "the event stream ended", hintMs: stream.hintMs, forget: stream.isForgotten };
}

/** A hub that knows no such path is an older one, or a proxy is in between: the next way may do. */
function refusal(problem) {
  return problem.status === 404 ? { blocked: true, reason: problem.message } : problem.meaning;
}

async function read(body, { stream, watch, heard, garbled }) {
  const parser = new EventStreamParser();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const { events, retryMs } = parser.push(value);
    for (const { event, data, id } of events) {
      stream.hasHeard = true;
      // With an empty id the hub says: forget where you are.
      if (event === "session.end") stream.isForgotten ||= id === "";
      else hear(event, data, heard, garbled);
    }
    // One that comes after the first event is the hint of a hub that is stopping.
    if (retryMs !== undefined && stream.hasHeard && !events.length) stream.hintMs = retryMs;
    // After all that: how long silence may last depends on whether something was heard.
    watch();
  }
}

function hear(type, text, heard, garbled) {
  let data;
  try {
    data = parse(text);
  } catch (error) {
    garbled(error.message);
    return;
  }
  heard({ type, data });
}
