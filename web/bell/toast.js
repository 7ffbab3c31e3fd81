// A word about what was just done, with a way back, for some seconds.

import { make } from "./dom.js";

const shownMs = 7_000;

export class Toast {
  #timer;

  constructor() {
    this.element = make("div", { class: "toast", part: "toast", role: "status", hidden: true });
  }

  show(text, label, undo) {
    clearTimeout(this.#timer);
    const back = () => {
      this.element.hidden = true;
      undo();
    };
    this.element.replaceChildren(
      make("span", {}, text),
      ...(undo ? [make("button", { type: "button", class: "text", part: "undo", click: back }, label)] : []),
    );
    this.element.hidden = false;
    this.#timer = setTimeout(() => this.#end(), shownMs);
  }

  /** Not while somebody is at the button. */
  #end() {
    if (this.element.matches(":hover, :focus-within")) this.#timer = setTimeout(() => this.#end(), shownMs);
    else this.element.hidden = true;
  }
}
