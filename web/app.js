// Starts the panels and ties them together. Each panel is a module of its own; none keeps state outside this page.

import { fillUser } from "./api.js";
import { startClients } from "./clients.js";
import { startCounters } from "./counters.js";
import { startDevice } from "./device.js";
import { byID } from "./dom.js";
import { startHealth } from "./health.js";
import { showHistory, startHistory } from "./history.js";
import { startPending } from "./pending.js";
import { startPods } from "./pods.js";
import { showChoice, startSend } from "./send.js";

/** Somebody was chosen from a list: every form is about them. */
function pick(user) {
  for (const form of [byID("send"), byID("device")]) fillUser(form, user);
  byID("send").elements.to.value = "one";
  showChoice();
  showHistory(user);
}

startHealth();
const refreshCounters = startCounters();
startPods();
startClients(pick, showChoice);
const refreshPending = startPending(pick);
startHistory();
startSend(() => {
  refreshCounters();
  refreshPending();
});
startDevice();
