// Stream ids: `1640995200000-0` in the user's own stream, `1640995200000-0@orders` in that of a topic, `1640995200000-0@` in
// everybody's. Both numbers reach 2^64, so they are compared as digits.

const pattern = /^(0|[1-9]\d*)-(0|[1-9]\d*)(?:@(.*))?$/s;

/** The parts of a stream id, or undefined for anything else. `topic` is undefined in the user's own stream. */
export function splitStreamId(id) {
  const match = typeof id === "string" ? pattern.exec(id) : null;
  return match ? { time: match[1], sequence: match[2], topic: match[3] } : undefined;
}

/** Negative where `a` is older than `b`, 0 for the same moment, positive where it is newer. Topics are not looked at. */
export function compareStreamIds(a, b) {
  const first = splitStreamId(a);
  const second = splitStreamId(b);
  return compareDigits(first.time, second.time) || compareDigits(first.sequence, second.sequence);
}

function compareDigits(a, b) {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
