// The pods, whether each still gives its sign of life, and those that have gone.

import { call, serverNow } from "./api.js";
import { byID, counted, element, keepingScroll, nameElement, numberText } from "./dom.js";
import { setText, showRefresh, showRows, timeElement } from "./dom.js";
import { answeringPods, hear } from "./health.js";
import { every } from "./poll.js";

// A pod that is no longer listed is shown as gone for this long, so that nobody overlooks it.
const goneMs = 5 * 60_000;
// By its time of going.
const gone = new Map();
let listed = new Map();
// A pod may be older than this page and not know the question, which is then asked seldom.
const patienceMs = 60_000;
let unknownUntil = 0;

export function startPods() {
  return every(3, load);
}

async function load() {
  if (performance.now() < unknownUntil) return;
  const panel = byID("pods");
  try {
    const { pods, total } = await call("api/v1/admin/pods");
    for (const pod of pods) if (pod.self) hear(pod.pod_id);
    remember(pods);
    const known = pods.map((pod) => ({ ...pod, state: pod.alive ? "alive" : "dead" }));
    const rows = [...known, ...gone.values()].sort((a, b) => a.pod_id.localeCompare(b.pod_id, undefined, { numeric: true }));
    const list = byID("pods-list");
    keepingScroll(list, list, () => showRows(list, rows, (pod) => pod.pod_id, makeTile, updateTile));
    setText(byID("pods-total"), numberText(total));
    setText(byID("pods-note"), note(known, total));
    panel.hidden = false;
    showRefresh("pods", panel);
  } catch (problem) {
    if (problem.status !== 404) return showRefresh("pods", panel, problem);
    panel.hidden = true;
    unknownUntil = performance.now() + patienceMs;
  }
}

function remember(pods) {
  const present = new Map(pods.map((pod) => [pod.pod_id, pod]));
  for (const [name, pod] of listed) {
    if (!present.has(name)) gone.set(name, { ...pod, state: "gone", connections: 0, goneAt: performance.now() });
  }
  for (const [name, { goneAt }] of gone) {
    if (present.has(name) || performance.now() - goneAt > goneMs) gone.delete(name);
  }
  listed = present;
}

function note(pods, total) {
  const alive = pods.filter((pod) => pod.alive).length;
  const connections = pods.reduce((sum, pod) => sum + (pod.connections ?? 0), 0);
  const share = alive === total ? "All" : `${numberText(alive)} of ${numberText(total)}`;
  return `${share} alive · ${counted(connections, "connection")}`;
}

function makeTile(pod) {
  const tile = element(
    "li",
    { class: "pod" },
    element("span", { class: "title-line" }, nameElement("strong", pod.pod_id), element("span", { class: "mark" })),
    element("span", { class: "quiet life" }),
    element("span", { class: "quiet load" }),
  );
  updateTile(tile, pod);
  return tile;
}

function updateTile(tile, pod) {
  tile.dataset.state = pod.state;
  const answers = answeringPods().includes(pod.pod_id);
  setText(tile.querySelector(".mark"), pod.state !== "alive" ? pod.state : answers ? "answers" : "");
  setText(tile.querySelector(".load"), pod.state === "gone" ? "" : counted(pod.connections ?? 0, "connection"));
  const life = tile.querySelector(".life");
  if (pod.state === "gone") {
    if (!life.querySelector("time")) life.replaceChildren("last heartbeat ", timeElement(pod.heartbeat_at));
  } else {
    setText(life, `heartbeat ${age(pod.heartbeat_at)}`);
  }
}

function age(instant) {
  const seconds = Math.round((serverNow() - Date.parse(instant)) / 1000);
  if (Number.isNaN(seconds)) return "never";
  if (seconds <= 1) return "now";
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`;
}
