// The page of a customer. The query says whose bell it is: ?user-id=1&login=alice, and any other attribute; `hub` is where the
// bell comes from, `dir` the page's direction.

const query = new URLSearchParams(location.search);
await import(new URL("/carillon-bell.js", query.get("hub") ?? location.origin).href);
document.documentElement.dir = query.get("dir") ?? "ltr";
const bell = document.querySelector("carillon-bell");
globalThis.selected = [];
bell.addEventListener("carillon-select", (event) => {
  selected.push(structuredClone(event.detail));
  if (query.has("cancel")) event.preventDefault();
});
for (const [name, value] of query) if (!["hub", "dir", "cancel"].includes(name)) bell.setAttribute(name, value);
