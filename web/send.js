// The form that posts notifications.

import { call, Problem, userKey, userOf } from "./api.js";
import { selectedUsers } from "./clients.js";
import { byID, counted, element, numberText, setText, showProblem } from "./dom.js";
import { clearFieldErrors, clearOnInput, showFieldErrors } from "./fields.js";
import { parse } from "./lossless.js";

const targetsPerRequest = 1000;
const resultRows = 20;

const form = byID("send");
const result = byID("send-result");
const button = byID("send-button");
let isBusy = false;

/** Starts the form. `sent()` is called after something was stored. */
export function startSend(sent) {
  form.addEventListener("change", showChoice);
  // A reload may restore another choice than the markup's.
  showChoice();
  clearOnInput(form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    try {
      await post(sent);
    } catch (problem) {
      showRefusal(problem);
    } finally {
      setBusy(false);
    }
  });
}

/** Says on the button whom it concerns. */
export function showChoice() {
  const choice = form.elements.to.value;
  byID("send-user").hidden = choice !== "one";
  byID("send-channel").hidden = choice !== "channel";
  // A notification for a topic is of that channel, or of none.
  byID("send-label").hidden = isForTopic(choice);
  const users = selectedUsers().length;
  const texts = { selected: users ? `Send to ${counted(users, "user")}` : "Send", all: "Send to all", everybody: "Send to everybody" };
  setText(button, texts[choice] ?? "Send");
}

const isForTopic = (choice) => choice === "channel" || choice === "everybody";

/** Not `disabled`, which would take the focus away. */
function setBusy(busy) {
  isBusy = busy;
  button.setAttribute("aria-disabled", busy);
}

async function post(sent) {
  clearFieldErrors(form);
  const choice = form.elements.to.value;
  const content = contentOf(choice);
  if (choice === "channel") return announce({ channel: form.elements.audience.value.trim() }, content, sent);
  if (choice === "everybody") {
    const text = "This goes to everybody, now or when they next connect.";
    return askFirst(text, "everybody", () => announce({ all: true }, content, sent));
  }
  const targets = await targetsOf(choice);
  if (choice !== "all" || targets.length < 2) return deliver(targets, content, sent);
  const users = counted(targets.length, "user");
  return askFirst(`This goes to ${users} at once.`, users, () => deliver(targets, content, sent));
}

/** A message to many is heard before it can be taken back, so it takes a second press. */
function askFirst(text, whom, work) {
  const decide = (isMeant) => async () => {
    button.focus();
    result.replaceChildren();
    if (!isMeant || isBusy) return;
    setBusy(true);
    await work().catch(showRefusal);
    setBusy(false);
  };
  const send = element("button", { type: "button", class: "primary", click: decide(true) }, `Send to ${whom}`);
  result.replaceChildren(
    element("p", {}, text),
    element("p", { class: "line" }, send, element("button", { type: "button", click: decide(false) }, "Cancel")),
  );
  send.focus();
}

async function targetsOf(choice) {
  if (choice === "one") return [userOf(form)];
  const users = choice === "selected" ? selectedUsers() : await connectedUsers();
  if (users.length) return users;
  throw new Error(choice === "selected" ? "select clients in the list first" : "nobody is connected");
}

async function connectedUsers() {
  const users = [];
  let cursor;
  do {
    const page = await call("api/v1/admin/users" + (cursor ? `?${new URLSearchParams({ cursor })}` : ""));
    users.push(...page.users.map(({ id, login }) => ({ id, login })));
    cursor = page.next_cursor;
  } while (cursor);
  return users;
}

/** The body without those whom it is for. The server judges it; only what cannot be written as JSON is refused here. */
function contentOf(choice) {
  const { elements } = form;
  const content = { message: elements.message.value };
  const label = isForTopic(choice) ? [] : ["channel"];
  for (const name of ["title", "type", "source", "priority", ...label]) {
    content[name] = elements[name].value.trim() || undefined;
  }
  const errors = [];
  const ttl = elements.ttl_seconds.value.trim();
  if (/^-?\d+$/.test(ttl)) content.ttl_seconds = parse(ttl.replace(/^(-?)0+(?=\d)/, "$1"));
  else if (ttl) errors.push({ pointer: "/ttl_seconds", detail: "must be a whole number of seconds" });
  const data = elements.data.value.trim();
  try {
    if (data) content.data = parse(data);
  } catch (error) {
    errors.push({ pointer: "/data", detail: `is not JSON: ${error.message}` });
  }
  if (!errors.length) return content;
  throw new Problem({ title: "Not sent", detail: errors.map(({ detail }) => detail).join("; "), fields: errors });
}

async function deliver(targets, content, sent) {
  const rows = [];
  try {
    for (let start = 0; start < targets.length; start += targetsPerRequest) {
      const target = targets.slice(start, start + targetsPerRequest);
      const { results } = await call("api/v1/notify", { body: { target, ...content } });
      rows.push(...results);
      if (rows.length < targets.length) setText(result, `${numberText(rows.length)} of ${numberText(targets.length)} stored…`);
    }
  } catch (problem) {
    if (!rows.length) throw problem;
    problem.message = `${problem.detail ?? problem.message} (the first ${counted(rows.length, "user")} got theirs)`;
    problem.detail = problem.message;
    sent();
    throw problem;
  }
  showStored(rows);
  sent();
}

/** One notification, however many hear it. */
async function announce(audience, content, sent) {
  const { notification_id: id } = await call("api/v1/notify", { body: { audience, ...content } });
  const whom = audience.all ? "everybody" : `channel ${audience.channel}`;
  showResult(`Stored for ${whom}.`, [element("li", {}, element("span", { class: "code" }, id))]);
  sent();
}

function showRefusal(problem) {
  const fields = problem.fields ?? [];
  const others = showFieldErrors(form, fields);
  const shown = fields.length - others.length;
  if (!shown) return showProblem(result, problem);
  const detail = `please look at the ${shown === 1 ? "field that is" : `${shown} fields that are`} marked`;
  // What a field cannot show is listed in full.
  const rest = others.map(({ pointer, detail: why }) => `${pointer} ${why}`);
  showProblem(result, { title: "Not sent", detail: [detail, ...rest].join("; ") });
}

function showStored(rows) {
  const ids = rows
    .slice(0, resultRows)
    .map((row) => element("li", {}, userKey(row.target), " ", element("span", { class: "code" }, row.notification_id)));
  if (rows.length > resultRows) ids.push(element("li", {}, `and ${numberText(rows.length - resultRows)} more`));
  showResult(`Stored for ${counted(rows.length, "user")}.`, ids);
}

function showResult(text, rows) {
  result.replaceChildren(element("p", { class: "good" }, text), element("ul", { class: "stored" }, ...rows));
}
