// What the end of a connection means for the next one.
//
// An end is `{ reason, code?, hintMs?, atLeastMs?, forget?, refused? }`: wait as long as the server says (`hintMs`), or a random
// time beyond `atLeastMs`; start over with nothing known (`forget`); do not come back at all (`refused`).

const longPauseMs = 30_000;
const slowPauseMs = 2_000;
// What we did was wrong and would be wrong again.
const faults = new Set([1002, 1003, 1007, 1008, 1009]);

/** The meaning of a WebSocket's close. */
export function meaningOfClose(code, text = "") {
  const end = { code, reason: text || `closed with ${code}` };
  if (code === 1001) return { ...end, hintMs: hintIn(text) };
  if (code === 1012) return { ...end, forget: true };
  if (code === 1013) return { ...end, atLeastMs: slowPauseMs };
  if (code === 4429) return { ...end, atLeastMs: longPauseMs };
  if (faults.has(code) || (code >= 4400 && code < 4500)) return { ...end, refused: { status: code, title: end.reason } };
  return end;
}

/** The milliseconds in "going away; come back in 412 ms"; more than a minute is taken for a mistake. */
function hintIn(text) {
  const match = /(\d{1,9}) ?ms\b/.exec(text);
  return match ? Math.min(Number(match[1]), 60_000) : undefined;
}

// These pass by themselves.
const passing = new Set([408, 425, 429]);

/** The meaning of an HTTP answer that is no success. */
export function meaningOfAnswer({ status, retryAfterMs, problem }) {
  const end = { code: status, reason: problem?.detail ?? problem?.title ?? `HTTP ${status}` };
  if (status === 429) return { ...end, atLeastMs: retryAfterMs ?? longPauseMs };
  if (status >= 400 && status < 500 && !passing.has(status)) return { ...end, refused: { status, ...problem } };
  return { ...end, atLeastMs: retryAfterMs };
}

/** `Retry-After` in milliseconds: seconds, or a date. */
export function retryAfterMs(value, now = Date.now()) {
  if (!value) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 300_000) : undefined;
}
