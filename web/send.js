// The form that posts notifications.

import { call, userKey, userOf } from "./api.js";
import { selectedUsers } from "./clients.js";
import { byID, element, showProblem } from "./dom.js";
import { parse } from "./lossless.js";

const targetsPerRequest = 1000;
const resultRows = 20;

/** Starts the form. `sent()` is called after something was stored. */
export function startSend(sent) {
  const form = byID("send");
  const result = byID("send-result");
  const button = form.querySelector("button");
  const showUser = () => (byID("send-user").hidden = form.elements.to.value !== "one");
  form.addEventListener("change", showUser);
  // A reload may restore another choice than the markup's.
  showUser();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const rows = await send(await targetsOf(form), contentOf(form));
      showStored(result, rows);
      sent();
    } catch (problem) {
      showProblem(result, problem);
    } finally {
      button.disabled = false;
    }
  });
}

async function targetsOf(form) {
  const choice = form.elements.to.value;
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

function contentOf(form) {
  const content = { message: form.elements.message.value };
  for (const name of ["title", "type", "source", "priority"]) {
    content[name] = form.elements[name].value.trim() || undefined;
  }
  const data = form.elements.data.value.trim();
  if (data) content.data = parseData(data);
  return content;
}

function parseData(text) {
  let data;
  try {
    data = parse(text);
  } catch (error) {
    throw new Error(`the data is not JSON (${error.message})`);
  }
  if (data === null || typeof data !== "object" || Array.isArray(data)) throw new Error("the data must be a JSON object");
  return data;
}

async function send(targets, content) {
  const rows = [];
  for (let start = 0; start < targets.length; start += targetsPerRequest) {
    const target = targets.slice(start, start + targetsPerRequest);
    const { results } = await call("api/v1/notify", { body: { target, ...content } });
    rows.push(...results);
  }
  return rows;
}

function showStored(container, rows) {
  const ids = rows
    .slice(0, resultRows)
    .map((row) => element("li", {}, userKey(row.target), " ", element("span", { class: "code" }, row.notification_id)));
  if (rows.length > resultRows) ids.push(element("li", {}, `and ${rows.length - resultRows} more`));
  container.replaceChildren(
    element("p", { class: "good" }, rows.length === 1 ? "Stored for 1 user." : `Stored for ${rows.length} users.`),
    element("ul", { class: "stored" }, ...ids),
  );
}
