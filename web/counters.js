// The charts: what the pod that answers has been doing.

import { call } from "./api.js";
import { Chart } from "./charts.js";
import { byID, counted, numberText } from "./dom.js";
import { every } from "./poll.js";
import { parseSamples, quantile, rate } from "./samples.js";

const refreshSeconds = 3;
// Latency and CPU are taken over this time: a few deliveries make no quantile, and a pod may look at Redis less often than we ask.
const smoothMs = 15_000;
// Behind a load balancer several pods answer, and their counters have nothing to do with one another. One is followed; when
// it has not answered for this long, another is.
const patienceMs = 12_000;

const percent = (value) => `${short(value)} %`;
const perSecond = (value) => `${short(value)}/s`;
const megabytes = (bytes) => `${numberText(Math.round(bytes / 1e6))} MB`;

/** A number with two digits that count, or more where it is large. */
function short(value) {
  if (value >= 10) return numberText(Math.round(value));
  return numberText(Number(value < 1 ? value.toPrecision(2) : value.toFixed(1)));
}

const panels = [
  {
    title: "Sent",
    lines: [""],
    format: perSecond,
    values: ({ last, now }) => [rate(last, now, "notifications_sent_total")],
    foot: (sums) => `${numberText(sums.get("notifications_sent_total"))} in all`,
    needs: "notifications_sent_total",
  },
  {
    title: "Acknowledged",
    lines: [""],
    format: perSecond,
    values: ({ last, now }) => [rate(last, now, "notifications_acked_total")],
    foot: (sums) => {
      const cleared = numberText(sums.get("notifications_auto_cleared_total") ?? 0);
      return `${numberText(sums.get("notifications_acked_total"))} in all · ${cleared} auto-cleared`;
    },
    needs: "notifications_acked_total",
  },
  {
    title: "Sockets",
    lines: [""],
    format: numberText,
    values: ({ now }) => [now.sums.get("websocket_connections")],
    foot: (sums) => counted(sums.get("carillon_local_users") ?? 0, "user"),
    needs: "websocket_connections",
  },
  {
    title: "Delivery latency, ms",
    lines: ["p50", "p99"],
    format: short,
    values: ({ first, now }) => [0.5, 0.99].map((share) => quantile(first, now, "delivery_latency_ms", share)),
    foot: (sums) => `${numberText(sums.get("delivery_latency_ms_count"))} pushed live`,
    needs: "delivery_latency_ms_count",
  },
  {
    title: "Redis CPU",
    lines: [""],
    format: percent,
    values: ({ first, now }) => [asPercent(rate(first, now, "carillon_redis_cpu_seconds_total"))],
    foot: (sums) => `${numberText(sums.get("carillon_redis_commands_total") ?? 0)} commands`,
    needs: "carillon_redis_cpu_seconds_total",
  },
  {
    title: "Pod CPU",
    lines: [""],
    format: percent,
    values: ({ first, now }) => [asPercent(rate(first, now, "process_cpu_seconds_total"))],
    foot: (sums) => `${megabytes(sums.get("process_resident_memory_bytes"))} of memory`,
    needs: "process_cpu_seconds_total",
  },
];

const asPercent = (share) => share && share * 100;

let followed;
let otherAnsweredAt = -Infinity;

/** Whether several pods were heard lately, one of which the charts follow. */
export const hearsSeveralPods = () => performance.now() - otherAnsweredAt < patienceMs;

export function startCounters() {
  const charts = panels.map((panel) => {
    const chart = new Chart({ ...panel, gapMs: 4 * refreshSeconds * 1000 });
    chart.node.dataset.name = panel.needs;
    return { panel, chart };
  });
  byID("charts").append(...charts.map(({ chart }) => chart.node));
  return every(refreshSeconds, () => load(charts));
}

async function load(charts) {
  const section = byID("charts");
  try {
    const now = { ...parseSamples(await call("metrics")), at: performance.now() };
    section.classList.remove("stale");
    if (!follow(now)) return;
    const { scrapes } = followed;
    const context = { first: scrapes[0], last: scrapes.at(-2) ?? now, now };
    for (const { panel, chart } of charts) {
      // A pod may be older than this page.
      chart.node.hidden = !now.sums.has(panel.needs);
      if (chart.node.hidden) continue;
      chart.add(Date.now(), panel.values(context));
      chart.say(panel.foot(now.sums));
    }
  } catch {
    section.classList.add("stale");
  }
}

/** Adds a scrape to those of the pod that is followed; false when it is another's. */
function follow(scrape) {
  const process = scrape.sums.get("process_start_time_seconds");
  if (followed && followed.process !== process) {
    if (scrape.at - followed.scrapes.at(-1).at < patienceMs) {
      otherAnsweredAt = scrape.at;
      return false;
    }
    followed = undefined;
  }
  followed ??= { process, scrapes: [] };
  followed.scrapes.push(scrape);
  while (followed.scrapes[0].at < scrape.at - smoothMs && followed.scrapes.length > 2) followed.scrapes.shift();
  return true;
}
