// A small line chart of the last minutes: figure, curve, and a text that says the same.

import { element, setText } from "./dom.js";

const svgNames = "http://www.w3.org/2000/svg";
const [width, height] = [300, 64];
// Room for half a line, so that a curve along an edge is not cut.
const margin = 3;
// The picture begins with one minute and grows to five.
const shortestMs = 60_000;
const longestMs = 5 * 60_000;
const clockFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export class Chart {
  #lines;
  #format;
  #gapMs;
  /** `{at, values}`, oldest first; a value that is not known is undefined. */
  #points = [];
  #title;
  #now;
  #foot;
  #picture;
  #cursor;
  #pointed;

  /**
   * @param {{title: string, lines: string[], format: (value: number) => string, gapMs: number}} options `lines` names the
   *   curves; points further apart than `gapMs` are not joined
   */
  constructor({ title, lines, format, gapMs }) {
    this.#title = title;
    this.#format = format;
    this.#gapMs = gapMs;
    this.#lines = lines.map((name, index) => ({ name, area: path(`area line${index}`), curve: path(`curve line${index}`) }));
    this.#cursor = path("cursor");
    this.#picture = document.createElementNS(svgNames, "svg");
    this.#picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#picture.setAttribute("preserveAspectRatio", "none");
    this.#picture.setAttribute("role", "img");
    this.#picture.append(...this.#lines.map((line) => line.area), ...this.#lines.map((line) => line.curve), this.#cursor);
    this.#now = element("p", { class: "now" });
    this.#foot = element("p", { class: "foot" });
    this.node = element("article", { class: "chart" }, element("h3", {}, title), this.#now, this.#picture, this.#foot);
    this.#picture.addEventListener("pointermove", (event) => this.#pointAt(event));
    this.#picture.addEventListener("pointerleave", () => this.#pointAt());
    this.#draw();
  }

  /** Adds what is known now, one value per line. */
  add(at, values) {
    this.#points.push({ at, values });
    while (this.#points[0].at < at - longestMs) this.#points.shift();
    this.#draw();
  }

  /** What stands below the curve. */
  say(text) {
    setText(this.#foot, text);
  }

  #draw() {
    const { at: end = 0 } = this.#points.at(-1) ?? {};
    const windowMs = Math.max(shortestMs, end - (this.#points[0]?.at ?? end));
    const known = this.#points.flatMap(({ values }) => values.filter((value) => value !== undefined));
    const top = niceCeiling(1.1 * Math.max(0, ...known));
    const x = (at) => width - margin - ((end - at) / windowMs) * (width - 2 * margin);
    const y = (value) => height - margin - (value / top) * (height - 2 * margin);
    this.#lines.forEach((line, index) => {
      const runs = this.#runs(index).map((run) => run.map(([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`));
      // A run of one point is a dash: a line needs two.
      line.curve.setAttribute("d", runs.map((run) => `M${run.join("L")}${run.length === 1 ? "m-6 0h6" : ""}`).join(""));
      line.area.setAttribute("d", runs.map((run) => `M${run.join("L")}V${height}H${run[0].split(" ")[0]}Z`).join(""));
    });
    const shown = this.#pointed === undefined ? this.#points.at(-1) : this.#nearest(x);
    this.#cursor.setAttribute("d", this.#pointed === undefined || !shown ? "" : `M${x(shown.at).toFixed(1)} 0V${height}`);
    this.#showFigures(shown);
    this.#picture.setAttribute("aria-label", this.#description(known.length > 0));
  }

  /** The stretches of a line without gaps. */
  #runs(index) {
    const runs = [];
    let last;
    for (const { at, values } of this.#points) {
      if (values[index] === undefined) {
        last = undefined;
        continue;
      }
      if (last === undefined || at - last > this.#gapMs) runs.push([]);
      runs.at(-1).push([at, values[index]]);
      last = at;
    }
    return runs;
  }

  #showFigures(point) {
    const text = ({ values } = { values: [] }, index) => (values[index] === undefined ? "–" : this.#format(values[index]));
    const figures = this.#lines.map(({ name }, index) =>
      element("span", { class: `figure line${index}` }, name && element("span", { class: "name" }, name), text(point, index)),
    );
    if (this.#pointed !== undefined && point) figures.push(element("span", { class: "name" }, clockFormat.format(point.at)));
    this.#now.replaceChildren(...figures);
  }

  #description(isKnown) {
    if (!isKnown) return `${this.#title}: nothing to show yet`;
    const parts = this.#lines.map(({ name }, index) => {
      const values = this.#points.map((point) => point.values[index]).filter((value) => value !== undefined);
      if (!values.length) return `${name} not known`;
      const [lowest, highest] = [Math.min(...values), Math.max(...values)].map(this.#format);
      const now = this.#points.at(-1).values[index];
      return `${name} now ${now === undefined ? "not known" : this.#format(now)}, lowest ${lowest}, highest ${highest}`;
    });
    return `${this.#title}, the last minutes: ${parts.map((part) => part.trim()).join("; ")}`;
  }

  #pointAt(event) {
    this.#pointed = event && (event.offsetX / this.#picture.clientWidth) * width;
    this.#draw();
  }

  #nearest(x) {
    const distance = (point) => Math.abs(x(point.at) - this.#pointed);
    return this.#points.reduce((best, point) => (best && distance(best) <= distance(point) ? best : point), undefined);
  }
}

function path(classes) {
  const node = document.createElementNS(svgNames, "path");
  node.setAttribute("class", classes);
  return node;
}

/** The next of 1, 2, 5, 10, 20 … above a value, so that the scale does not change with every point. */
function niceCeiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * power >= value) * power;
}
