// The head of the page: is the server well, and what has this pod done.

import { call } from "./api.js";
import { byID, every } from "./dom.js";

const counters = {
  "count-sent": "notifications_sent_total",
  "count-acked": "notifications_acked_total",
  "count-cleared": "notifications_auto_cleared_total",
  "count-sockets": "websocket_connections",
};
const numberFormat = new Intl.NumberFormat();

export function startCounters() {
  return every(3, () => Promise.all([showHealth(), showCounters()]));
}

async function showHealth() {
  const line = byID("health");
  try {
    const { status, pod_id: pod, version, components } = await call("health", { accept: [503] });
    const unwell = Object.entries(components ?? {}).filter(([, component]) => component.status !== "healthy");
    const reasons = unwell.map(([name, { detail }]) => `${name}: ${detail ?? "unhealthy"}`);
    const text = [status, pod && `pod ${pod}`, version && `version ${version}`, ...reasons].filter(Boolean).join(" · ");
    // The same text again would be announced again.
    if (line.textContent !== text) line.textContent = text;
    line.dataset.status = status;
  } catch (problem) {
    line.textContent = problem.detail;
    line.dataset.status = "unknown";
  }
}

async function showCounters() {
  try {
    const samples = sumByName(await call("metrics"));
    for (const [id, name] of Object.entries(counters)) {
      byID(id).textContent = samples.has(name) ? numberFormat.format(samples.get(name)) : "–";
    }
  } catch {
    for (const id of Object.keys(counters)) byID(id).textContent = "–";
  }
}

/** Adds up the samples of each name in a Prometheus exposition, whatever their labels. */
function sumByName(text) {
  const sums = new Map();
  for (const [, name, value] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{.*\})?[ \t]+(\S+)/gm)) {
    sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  return sums;
}
