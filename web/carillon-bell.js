// A bell with a number on it, for any page:
//
//   <script type="module" src="https://hub.example/carillon-bell.js"></script>
//   <carillon-bell user-id="1" login="alice"></carillon-bell>
//
// Attributes: `user-id`, `login`; `url` of the hub, by default where this file came from; `channels` to subscribe the user to,
// separated by commas; `theme` (`light`, `dark`, by default the reader's choice). Properties: `session` (carillon.js; may be set to share the page's own), `words` (see bell/words.js),
// `open`. Methods: `show()`, `hide()`.
//
// Events, all bubbling: `carillon-open` and `carillon-close`; `carillon-select` when a notification is opened, with the item as
// `detail`: unless it is cancelled, the notification is read and its `data.url`, if that is http or https, visited.
//
// Custom properties: --carillon-accent, -on-accent, -surface, -text, -quiet, -line, -badge, -on-badge, -bell (colour of the icon),
// -radius, -width, -height, -font.
// Parts: button, badge, panel, header, heading, mark-all, close, tabs, tab, banner, list, day, item (also `unread`), tile, open,
// item-title, item-message, meta, priority, time, action, load-more, menu, menu-item, toast, undo, empty, loading, foot.

import { connect } from "./carillon.js";
import { make, setText } from "./bell/dom.js";
import { icon } from "./bell/icons.js";
import { Panel } from "./bell/panel.js";
import { style } from "./bell/style.js";
import { Times } from "./bell/times.js";
import { words as english } from "./bell/words.js";
import { isHidden } from "./sdk/item.js";

const tickMs = 15_000;
// A reconnect takes a moment; nobody has to know.
const lostAfterMs = 1_500;
const mostShown = 99;

export class CarillonBell extends HTMLElement {
  static observedAttributes = ["user-id", "login", "url", "channels"];

  #button;
  #badge;
  #lost;
  #panel;
  #session;
  #isOwnSession = false;
  #subscriptions = [];
  #words = english;
  #frame;
  #tick;
  #lostTimer;
  #isLost = false;
  #seenTimer;
  #placing;

  constructor() {
    super();
    this.attachShadow({ mode: "open", delegatesFocus: true }).adoptedStyleSheets = [style];
  }

  connectedCallback() {
    if (!this.#panel) this.#build();
    this.#restart();
  }

  disconnectedCallback() {
    this.hide();
    this.#leave();
  }

  attributeChangedCallback(name, before, after) {
    if (before !== after && this.isConnected && this.#panel && (this.#isOwnSession || !this.#session)) this.#restart();
  }

  /** The session behind the bell. One that is set stays open when the bell goes. */
  get session() {
    return this.#session;
  }

  set session(session) {
    this.#leave();
    this.#isOwnSession = false;
    this.#session = session;
    if (this.isConnected && session) this.#listen();
  }

  get words() {
    return this.#words;
  }

  set words(words) {
    this.#words = { ...english, ...words };
    if (!this.#panel) return;
    this.hide();
    this.#build();
    this.#show();
  }

  get open() {
    return this.#panel?.isOpen ?? false;
  }

  show() {
    if (this.isConnected && !this.open) this.#panel.open(this.#button);
  }

  hide() {
    this.#panel?.close();
  }

  // The session

  #restart() {
    if (this.#session && !this.#isOwnSession) return this.#listen();
    this.#leave();
    const { userId: id, login } = this.#user;
    if (id && login) {
      const channels = this.getAttribute("channels")?.split(",").map((name) => name.trim()).filter(Boolean);
      this.#session = connect({ url: this.getAttribute("url") ?? undefined, user: { id, login }, channels });
      this.#isOwnSession = true;
      this.#listen();
    }
    return this.#show();
  }

  get #user() {
    return { userId: this.getAttribute("user-id"), login: this.getAttribute("login") };
  }

  #listen() {
    for (const end of this.#subscriptions) end();
    const later = () => this.#showSoon();
    const types = ["read", "count", "changed", "cleared", "problem"];
    this.#subscriptions = types.map((type) => this.#session.on(type, later));
    this.#subscriptions.push(
      this.#session.on("notification", (item) => this.#arrived(item)),
      this.#session.on("status", (status) => this.#statusChanged(status)),
    );
    this.#statusChanged(this.#session.status);
    this.#show();
  }

  #leave() {
    for (const end of this.#subscriptions) end();
    this.#subscriptions = [];
    if (this.#isOwnSession) {
      this.#session.close();
      this.#session = undefined;
    }
    this.#isFound();
  }

  #arrived(item) {
    this.#showSoon();
    if (item.replayed) return;
    this.#panel.say(this.#words.arrived(item.title ?? item.message.slice(0, 120)));
    if (item.read) return;
    this.#button.classList.remove("ringing");
    // Reading the layout begins the animation anew.
    void this.#button.offsetWidth;
    this.#button.classList.add("ringing");
  }

  #statusChanged({ state }) {
    if (state === "waiting" || state === "connecting") {
      // From the first failure on: it goes from waiting to connecting and back.
      this.#lostTimer ??= setTimeout(() => this.#becameLost(), lostAfterMs);
    } else {
      this.#isFound();
    }
    this.#showSoon();
  }

  #isFound() {
    clearTimeout(this.#lostTimer);
    this.#lostTimer = undefined;
    this.#isLost = false;
  }

  #becameLost() {
    this.#isLost = true;
    this.#show();
  }

  // What is seen

  #build() {
    const words = this.#words;
    this.#badge = make("span", { class: "badge", part: "badge", "aria-hidden": "true", hidden: true });
    this.#lost = make("span", { class: "lost", hidden: true });
    const toggle = (event) => {
      event.preventDefault();
      if (this.open) this.hide();
      else this.show();
    };
    const states = { "aria-haspopup": "dialog", "aria-expanded": "false" };
    const attributes = { type: "button", class: "bell", part: "button", ...states, click: toggle };
    this.#button = make("button", attributes, icon("bell"), this.#badge, this.#lost);
    const language = this.closest("[lang]")?.lang || undefined;
    const bell = this;
    this.#panel = new Panel({
      words,
      times: new Times(language, words),
      open: (item, event) => this.#select(item, event),
      restart: () => this.#restart(),
      get session() {
        return bell.#session;
      },
      get failure() {
        return bell.#failure;
      },
      get isLost() {
        return bell.#isLost;
      },
      get isLoading() {
        return bell.#isLoading;
      },
    });
    // Names the panel's button: a press on it is no press outside, which would close the panel for the click to open it again.
    this.#button.popoverTargetElement = this.#panel.element;
    this.#panel.element.addEventListener("toggle", (event) => this.#toggled(event.newState === "open"));
    this.shadowRoot.replaceChildren(this.#button, this.#panel.element);
  }

  get #failure() {
    if (!this.#session) return this.#words.noUser;
    const { state, problem } = this.#session.status;
    return state === "refused" ? (problem?.detail ?? problem?.title ?? "") : undefined;
  }

  get #isLoading() {
    const { state } = this.#session?.status ?? {};
    return !this.#failure && !this.#session.items.length && state !== "live" && state !== "paused" && state !== "closed";
  }

  #showSoon() {
    this.#frame ??= requestAnimationFrame(() => this.#show());
  }

  #show() {
    cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    if (!this.#panel) return;
    const unread = this.#session?.unreadCount ?? 0;
    const text = unread > mostShown ? `${mostShown}+` : String(unread);
    const isMore = !this.#badge.hidden && Number.parseInt(text, 10) > Number.parseInt(this.#badge.textContent, 10);
    if (isMore || (this.#badge.hidden && unread)) this.#pop();
    setText(this.#badge, text);
    this.#badge.hidden = unread === 0;
    const isLost = this.#isLost || this.#failure !== undefined;
    this.#lost.hidden = !isLost;
    this.#button.dataset.state = isLost ? "lost" : "";
    const name = this.#words.bell(unread) + (isLost ? `, ${this.#words.bellOffline}` : "");
    if (this.#button.getAttribute("aria-label") !== name) this.#button.setAttribute("aria-label", name);
    if (this.open) {
      this.#panel.show();
      this.#markSeen();
    }
  }

  #pop() {
    this.#badge.classList.remove("new");
    void this.#badge.offsetWidth;
    this.#badge.classList.add("new");
  }

  #toggled(isOpen) {
    this.#button.setAttribute("aria-expanded", String(isOpen));
    clearInterval(this.#tick);
    if (isOpen) this.#tick = setInterval(() => this.#panel.tick(), tickMs);
    const place = () => this.#panel.place(this.#button);
    this.#placing?.abort();
    if (isOpen) {
      this.#placing = new AbortController();
      const options = { signal: this.#placing.signal, passive: true };
      addEventListener("resize", place, options);
      addEventListener("scroll", place, options);
      this.#markSeen();
    } else if (this.#focusIsLost) {
      this.#button.focus();
    }
    this.dispatchEvent(new CustomEvent(isOpen ? "carillon-open" : "carillon-close", { bubbles: true, composed: true }));
  }

  /** Whether the focus is in the closed panel still, and was not taken elsewhere by the click that closed it. */
  get #focusIsLost() {
    const focused = this.shadowRoot.activeElement;
    return focused ? this.#panel.element.contains(focused) : [this, document.body].includes(document.activeElement);
  }

  /** What an open panel shows counts as seen. */
  #markSeen() {
    clearTimeout(this.#seenTimer);
    if (this.#session?.status.state !== "live" || !this.#session.items.some((item) => !item.seen && !isHidden(item))) return;
    this.#seenTimer = setTimeout(() => this.open && this.#session?.markAllSeen().catch(() => {}), 1000);
  }

  #select(item, event) {
    if (event.button > 1) return;
    const select = new CustomEvent("carillon-select", { detail: item, bubbles: true, composed: true, cancelable: true });
    if (!this.dispatchEvent(select)) return;
    this.#session.markRead(item);
    const url = linkOf(item);
    if (!url) return;
    const isOwn = url.origin === location.origin && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (isOwn) location.assign(url);
    else open(url, "_blank", "noopener");
  }
}

/** Where an item leads; nothing but http and https is visited. */
function linkOf(item) {
  const text = item.data?.url;
  if (typeof text !== "string" || !URL.canParse(text, document.baseURI)) return undefined;
  const url = new URL(text, document.baseURI);
  return url.protocol === "http:" || url.protocol === "https:" ? url : undefined;
}

if (!customElements.get("carillon-bell")) customElements.define("carillon-bell", CarillonBell);
