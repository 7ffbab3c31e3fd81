// What opens under the bell: head, views, list, and what stands in the list's place while there is none.

import { counts, isHidden } from "../sdk/item.js";
import { make, moveFocus, setText } from "./dom.js";
import { icon } from "./icons.js";
import { List } from "./list.js";
import { Menu } from "./menu.js";
import { History } from "./history.js";
import { Toast } from "./toast.js";

const gapPx = 8;
const leastHeightPx = 280;
/** How far from its end the list gets longer. */
const nearPx = 400;

const views = {
  all: (item) => !isHidden(item),
  unread: counts,
  archived: (item) => isHidden(item),
};

export class Panel {
  #bell;
  #name = "all";
  #tabs = {};
  #parts = {};
  #list;
  #menu;
  #toast;
  #history;

  /** @param {object} bell `words`, `times`, `session`, `failure`, and `open(item, event)` */
  constructor(bell) {
    this.#bell = bell;
    const { words, times } = bell;
    const act = (verb, item, until) => this.#act(verb, item, until);
    const fallbackFocus = () => this.#tabs[this.#name];
    const view = { words, times, act, fallbackFocus, open: bell.open, menu: (row) => this.#menu.open(row) };
    this.#list = new List(view);
    this.#menu = new Menu(view);
    this.#toast = new Toast();
    this.element = this.#build(words);
    this.#history = new History(bell, () => this.#grew());
    const { scroll, foot } = this.#parts;
    const reached = (entries) => entries.at(-1).isIntersecting && this.#reachedEnd();
    new IntersectionObserver(reached, { root: scroll, rootMargin: `${nearPx}px` }).observe(foot);
  }

  get isOpen() {
    return this.element.matches(":popover-open");
  }

  open(anchor) {
    this.element.showPopover();
    this.place(anchor);
    this.show();
    this.element.focus();
  }

  close() {
    if (this.isOpen) this.element.hidePopover();
  }

  /** Under the bell, or above it where there is more room; on phones the style sheet decides. */
  place(anchor) {
    const at = anchor.getBoundingClientRect();
    const below = innerHeight - at.bottom - 2 * gapPx;
    const above = at.top - 2 * gapPx;
    const isBelow = below >= leastHeightPx || below >= above;
    const { style } = this.element;
    style.setProperty("--room", `${Math.max(isBelow ? below : above, leastHeightPx)}px`);
    const { width } = this.element.getBoundingClientRect();
    const page = document.documentElement;
    const isRightToLeft = getComputedStyle(anchor).direction === "rtl";
    const left = isRightToLeft ? at.left : at.right - width;
    style.setProperty("--x", `${Math.max(gapPx, Math.min(left, page.clientWidth - width - gapPx))}px`);
    style.setProperty("--y", isBelow ? `${at.bottom + gapPx}px` : "auto");
    style.setProperty("--bottom", isBelow ? "auto" : `${innerHeight - at.top + gapPx}px`);
  }

  /** Shows things as they are. */
  show() {
    const { session, failure, words } = this.#bell;
    const { total, all, foot, loading, blank, scroll } = this.#parts;
    const unread = session?.unreadCount ?? 0;
    setText(total, unread > 999 ? "999+" : String(unread));
    total.hidden = unread === 0;
    all.disabled = unread === 0;
    const items = failure ? [] : (session?.items ?? []).filter(views[this.#name]);
    const isLoading = !failure && !items.length && (this.#bell.isLoading || this.#history.isLoading(this.#name));
    this.#list.show(items);
    this.#list.element.hidden = !items.length;
    loading.hidden = !isLoading;
    scroll.setAttribute("aria-busy", String(isLoading));
    blank.hidden = isLoading || items.length > 0;
    if (!blank.hidden) this.#showBlank(failure);
    foot.replaceChildren(...(items.length ? this.#footOf(words) : []));
    this.#showBanner(session?.status);
  }

  tick() {
    this.#list.tick();
  }

  say(text) {
    setText(this.#parts.live, text);
  }

  // Parts

  #build(words) {
    const part = (name, node) => (this.#parts[name] = node);
    const readAll = () => this.#readAll();
    const marking = { class: "text", part: "mark-all", click: readAll };
    const all = make("button", { type: "button", ...marking }, icon("checks"), words.markAllRead);
    const closing = { class: "small close", part: "close", "aria-label": words.close, click: () => this.close() };
    const dialog = { popover: "auto", role: "dialog", "aria-label": words.title, tabindex: "-1" };
    return make(
      "div",
      { class: "panel", part: "panel", ...dialog, keydown: (event) => this.#key(event) },
      make(
        "div",
        { class: "head", part: "header" },
        make("h2", { part: "heading" }, words.title),
        part("total", make("span", { class: "total", "aria-hidden": "true" })),
        make("span", { class: "end" }, part("all", all), make("button", { type: "button", ...closing }, icon("close"))),
      ),
      this.#buildViews(words),
      part("banner", make("div", { class: "banner", part: "banner", role: "status", hidden: true })),
      part(
        "scroll",
        make(
          "div",
          { class: "scroll", id: "view", role: "tabpanel", "aria-labelledby": "view-all" },
          this.#list.element,
          part("loading", make("div", { part: "loading", role: "status", "aria-label": words.loading }, ...bones(5))),
          part("blank", make("div", { class: "blank", part: "empty" })),
          part("foot", make("div", { class: "foot", part: "foot" })),
        ),
      ),
      this.#toast.element,
      part("live", make("div", { class: "unseen", role: "status", "aria-live": "polite" })),
      this.#menu.element,
    );
  }

  #buildViews(words) {
    const tabs = Object.keys(views).map((name) => {
      const attributes = { type: "button", role: "tab", part: "tab", id: `view-${name}`, "aria-controls": "view" };
      const choose = () => this.#choose(name);
      return (this.#tabs[name] = make("button", { ...attributes, click: choose, focus: choose }, words[name]));
    });
    this.#markTabs();
    const attributes = { class: "views", part: "tabs", role: "tablist", "aria-label": words.views };
    return make("div", { ...attributes, keydown: (event) => moveFocus(event, tabs, { horizontal: true }) }, ...tabs);
  }

  #markTabs() {
    for (const [name, tab] of Object.entries(this.#tabs)) {
      tab.setAttribute("aria-selected", String(name === this.#name));
      tab.tabIndex = name === this.#name ? 0 : -1;
    }
  }

  #choose(name) {
    if (name === this.#name) return;
    this.#name = name;
    this.#markTabs();
    this.#parts.scroll.setAttribute("aria-labelledby", `view-${name}`);
    this.#parts.scroll.scrollTop = 0;
    this.#list.reset();
    this.#history.load(name);
    this.show();
  }

  #showBlank(failure) {
    const { words, session } = this.#bell;
    const { blank } = this.#parts;
    const hint = failure ?? words[`empty${capital(this.#name)}Hint`];
    if (blank.dataset.says === hint) return;
    blank.dataset.says = hint;
    blank.classList.toggle("bad", Boolean(failure));
    const retry = make("button", { type: "button", class: "text", click: () => this.#bell.restart() }, words.retry);
    const name = failure ? "alert" : { all: "bell", unread: "checks", archived: "archive" }[this.#name];
    blank.replaceChildren(
      make("span", { class: "disc" }, icon(name)),
      make("strong", {}, failure ? words.refused : words[`empty${capital(this.#name)}`]),
      make("p", {}, hint),
      ...(failure && session ? [retry] : []),
    );
  }

  #footOf(words) {
    const { foot } = this.#parts;
    const state = this.#list.hasMore ? "more" : this.#history.state(this.#name);
    if (foot.dataset.state === state && foot.hasChildNodes()) return [...foot.childNodes];
    foot.dataset.state = state;
    if (state === "end") return [make("span", {}, words.end)];
    const label = state === "failed" ? words.loadFailed : words.loadMore;
    return [make("button", { type: "button", class: "text", part: "load-more", click: () => this.#reachedEnd(true) }, label)];
  }

  #showBanner(status) {
    const { banner } = this.#parts;
    const isLost = this.#bell.isLost;
    if (banner.hidden === !isLost) return;
    banner.hidden = !isLost;
    const { words } = this.#bell;
    const retry = make("button", { type: "button", class: "text", click: () => this.#bell.session.retry() }, words.retry);
    banner.replaceChildren(...(isLost ? [icon("offline"), make("span", {}, words.offline), retry] : []));
    banner.title = status?.reason ?? "";
  }

  // What is done

  #reachedEnd(isAsked = false) {
    if (!this.isOpen || this.#bell.isLoading || this.#bell.failure) return;
    if (this.#list.hasMore) {
      this.#list.showMore();
      this.#grew();
    } else {
      this.#history.load(this.#name, { isAsked });
    }
  }

  /** Shows what came, and goes on where the end is still near: the observer only tells when that changes. */
  #grew() {
    this.show();
    requestAnimationFrame(() => {
      const { scrollTop, scrollHeight, clientHeight } = this.#parts.scroll;
      if (scrollTop + clientHeight > scrollHeight - nearPx) this.#reachedEnd();
    });
  }

  async #readAll() {
    this.#parts.all.disabled = true;
    this.#tabs[this.#name].focus();
    try {
      await this.#bell.session.markAllRead();
      this.say(this.#bell.words.allMarkedRead);
    } catch (problem) {
      this.#toast.show(problem.message);
    }
    this.show();
  }

  #act(verb, item, until) {
    const { session, words, times } = this.#bell;
    const undo = (back) => () => session[back](item);
    switch (verb) {
      case "read":
        return session.markRead(item);
      case "unread":
        return session.markUnread(item);
      case "archive":
        session.archive(item);
        return this.#toast.show(words.wasArchived, words.undo, undo("unarchive"));
      case "snooze":
        session.snooze(item, until);
        return this.#toast.show(words.wasSnoozed(times.ahead(until)), words.undo, undo("unsnooze"));
      case "delete":
        session.remove(item);
        return this.#toast.show(words.wasRemoved);
      default:
        return session[verb](item);
    }
  }

  #key(event) {
    if (event.target === this.element && event.key === "ArrowDown") {
      event.preventDefault();
      this.#list.focusFirst();
    }
  }
}

const capital = (name) => name[0].toUpperCase() + name.slice(1);
const bones = (length) => Array.from({ length }, () => make("div", { class: "bone" }, make("i"), make("i"), make("i")));
