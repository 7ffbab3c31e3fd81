// The reference for people: shows openapi.json and asyncapi.json, the documents for tools, with a list of contents.

import { byID, element } from "./dom.js";
import { parse } from "./lossless.js";
import { eventSections } from "./reference-events.js";
import { httpSections } from "./reference-http.js";
import { Source } from "./reference-schema.js";
import { inline, paragraphs } from "./reference-text.js";

async function read(name) {
  const response = await fetch(`${name}.json`);
  if (!response.ok) throw new Error(`${name}.json: HTTP ${response.status}`);
  return new Source(name, parse(await response.text()));
}

const badge = ({ method, tag }) => {
  if (method) return element("span", { class: `method ${method}` }, method.toUpperCase());
  return tag && element("span", { class: "method tag" }, tag);
};

/** One thing with its details, which are made when they are first opened. */
function entryView(entry) {
  const details = element(
    "details",
    { class: "entry", id: entry.id },
    element(
      "summary",
      {},
      element("h3", {}, badge(entry), element("code", {}, entry.label)),
      entry.about && element("span", { class: "about" }, ...inline(entry.about)),
    ),
  );
  details.addEventListener("toggle", () => fill(details, entry));
  entry.details = details;
  return details;
}

function fill(details, entry) {
  if (entry.isShown) return;
  entry.isShown = true;
  details.append(element("div", { class: "inside" }, ...entry.render().filter(Boolean)));
}

function sectionView(section, index) {
  const id = `section-${index}`;
  section.id = id;
  return element(
    "section",
    { "aria-labelledby": id },
    element("h2", { id }, section.title),
    element("div", { class: "lead" }, ...paragraphs(section.about)),
    ...section.entries.map(entryView),
  );
}

/** The list of contents; each line knows what it is found by. */
function contents(sections) {
  return sections.map((section) => {
    const lines = section.entries.map((entry) => {
      const link = element("a", { href: `#${entry.id}` }, badge(entry), element("span", {}, entry.title ?? entry.label));
      const line = element("li", {}, link);
      const words = [section.title, entry.method, entry.tag, entry.label, entry.about, entry.words];
      line.dataset.words = words.join(" ").toLowerCase();
      return line;
    });
    const heading = element("a", { class: "heading", href: `#${section.id}` }, section.title);
    return element("div", { class: "group" }, heading, element("ul", {}, ...lines));
  });
}

/** Leaves of the contents only what has all the words. */
function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const group of byID("list").children) {
    let inGroup = 0;
    for (const line of group.querySelectorAll("li")) {
      line.hidden = !words.every((word) => line.dataset.words.includes(word));
      if (!line.hidden) inGroup += 1;
    }
    group.hidden = inGroup === 0;
    found += inGroup;
  }
  byID("found").textContent = words.length ? `${found} found` : "";
}

/** Opens what the address names, so that links into the page show something. */
function openTarget(entries) {
  const entry = entries.find(({ id }) => id === decodeURIComponent(location.hash.slice(1)));
  if (!entry) return;
  fill(entry.details, entry);
  entry.details.open = true;
  entry.details.scrollIntoView();
  entry.details.querySelector("summary").focus({ preventScroll: true });
  if (narrow.matches) byID("contents").open = false;
}

const narrow = matchMedia("(max-width: 60rem)");

async function start() {
  const [openapi, asyncapi] = await Promise.all([read("openapi"), read("asyncapi")]);
  const { info } = openapi.document;
  byID("version").textContent = `Version ${info.version}. ${info.summary}`;
  const sections = [...httpSections(openapi), ...eventSections(asyncapi)];
  const entries = sections.flatMap((section) => section.entries);
  byID("text").append(
    element("section", { class: "intro", "aria-label": "Introduction" }, ...paragraphs(info.description)),
    ...sections.map(sectionView),
  );
  byID("list").append(...contents(sections));
  byID("actions").hidden = false;
  byID("contents").open = !narrow.matches;
  narrow.addEventListener("change", () => (byID("contents").open = !narrow.matches));
  byID("find").addEventListener("input", (event) => find(event.target.value));
  const openAll = (isOpen) => {
    for (const details of document.querySelectorAll("main details.entry")) details.open = isOpen;
  };
  byID("open").addEventListener("click", () => openAll(true));
  byID("close").addEventListener("click", () => openAll(false));
  // A link to where one is already changes no address, but should open it again.
  addEventListener("hashchange", () => openTarget(entries));
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (link && link.hash === location.hash) openTarget(entries);
  });
  openTarget(entries);
}

start().catch((error) => {
  byID("version").textContent = "";
  const text = `The documents could not be shown: ${error.message}`;
  byID("text").replaceChildren(element("p", { class: "problem", role: "alert" }, text));
});
