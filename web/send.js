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
  const users = selectedUsers().length;
  setText(button, { one: "Send", selected: users ? `Send to ${counted(users, "user")}` : "Send", all: "Send to all" }[choice]);
}

/** Not `disabled`, which would take the focus away. */
function setBusy(busy) {
  isBusy = busy;
  button.setAttribute("aria-disabled", busy);
}

async function post(sent) {
  clearFieldErrors(form);
  const choice = form.elements.to.value;
  const content = contentOf();
  const targets = await targetsOf(choice);
  if (choice === "all" && targets.length > 1) askFirst(targets, content, sent);
  else await deliver(targets, content, sent);
}

/** A message to everybody cannot be taken back, so it takes a second press. */
function askFirst(targets, content, sent) {
  const decide = (isMeant) => async () => {
    button.focus();
    result.replaceChildren();
    if (!isMeant || isBusy) return;
    setBusy(true);
    await deliver(targets, content, sent).catch(showRefusal);
    setBusy(false);
  };
  const users = counted(targets.length, "user");
  const send = element("button", { type: "button", class: "primary", click: decide(true) }, `Send to ${users}`);
  result.replaceChildren(
    element("p", {}, `This goes to ${users} at once.`),
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

/** The body without its target. The server judges it; only what cannot be written as JSON is refused here. */
function contentOf() {
  const { elements } = form;
  const content = { message: elements.message.value };
  for (const name of ["title", "type", "source", "channel", "priority"]) {
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
  result.replaceChildren(
    element("p", { class: "good" }, `Stored for ${counted(rows.length, "user")}.`),
    element("ul", { class: "stored" }, ...ids),
  );
}
