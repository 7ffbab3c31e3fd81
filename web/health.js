// The head of the page: whether the server is there and well, and which pods answer.

import { call } from "./api.js";
import { hearsSeveralPods } from "./counters.js";
import { byID, setText } from "./dom.js";
import { every, refreshAll } from "./poll.js";

// Behind a load balancer each answer may come from another pod. Those of the last while are named together.
const memoryMs = 15_000;
const heard = new Map();

/** Takes down that a pod answered. */
export const hear = (pod) => heard.set(pod, performance.now());

/** The names of the pods that answered lately. */
export function answeringPods() {
  const oldest = performance.now() - memoryMs;
  return [...heard].filter(([, at]) => at > oldest).map(([pod]) => pod).sort();
}

let isLost = false;

export function startHealth() {
  return every(3, load);
}

async function load() {
  try {
    const { status, pod_id: pod, version, components } = await call("health", { accept: [503] });
    if (pod) hear(pod);
    const unwell = Object.entries(components ?? {}).filter(([, component]) => component.status !== "healthy");
    const reasons = unwell.map(([name, { detail }]) => `${name}: ${detail ?? "unhealthy"}`);
    showHealth(status, [status, ...reasons].join(" · "));
    setText(byID("served-by"), [answeringPods().join(", "), version && `version ${version}`].filter(Boolean).join(" · "));
    showSource();
    found();
  } catch (problem) {
    heard.clear();
    showHealth("lost", "not connected");
    lost(problem);
  }
}

function showHealth(status, text) {
  byID("health").dataset.status = status;
  setText(byID("health"), text);
}

function showSource() {
  const pods = answeringPods();
  const single = `${pods[0] ?? "the pod"}, the pod that answers`;
  const isOneOfMany = pods.length > 1 || hearsSeveralPods();
  setText(byID("charts-source"), `The last minutes of ${isOneOfMany ? "one of the pods that answer" : single}`);
}

function lost(problem) {
  const why = problem.status ? ` (${problem.title})` : "";
  setText(byID("lost"), `No connection to the server${why}. What you see is the last known state; trying again…`);
  byID("lost").hidden = false;
  document.body.classList.add("lost");
  isLost = true;
}

function found() {
  if (!isLost) return;
  isLost = false;
  byID("lost").hidden = true;
  document.body.classList.remove("lost");
  refreshAll();
}
