// Starts the panels and ties them together. Each panel is a module of its own; none keeps state outside this page.

import { onConnectionChange } from "./api.js";
import { startClients } from "./clients.js";
import { startCounters } from "./counters.js";
import { startDevice } from "./device.js";
import { byID } from "./dom.js";
import { startHistory } from "./history.js";
import { startPending } from "./pending.js";
import { startSend } from "./send.js";

onConnectionChange((found) => (byID("lost").hidden = found));

const refreshCounters = startCounters();
const refreshPending = startPending();

startClients((user) => {
  for (const form of [byID("send"), byID("history"), byID("device")]) {
    form.elements.id.value = String(user.id);
    form.elements.login.value = user.login;
  }
});
startSend(() => {
  refreshCounters();
  refreshPending();
});
startDevice();
startHistory();
