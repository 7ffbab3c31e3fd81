// How the bell looks. Constructed, not written into the page, so that a strict content security policy lets it be.

import { listStyle } from "./style-list.js";
import { panelStyle } from "./style-panel.js";

const bellStyle = `
:host {
  --accent: var(--carillon-accent, light-dark(#0b6e68, #5fd0c3));
  --on-accent: var(--carillon-on-accent, light-dark(#ffffff, #06231f));
  --surface: var(--carillon-surface, light-dark(#ffffff, #182123));
  --text: var(--carillon-text, light-dark(#16211f, #e8efed));
  --quiet: var(--carillon-quiet, light-dark(#566663, #a2b2af));
  --line: var(--carillon-line, light-dark(#e3e9e7, #2c383a));
  --badge: var(--carillon-badge, #cf2a1e);
  --on-badge: var(--carillon-on-badge, #ffffff);
  --radius: var(--carillon-radius, 16px);
  --width: var(--carillon-width, 408px);
  --height: var(--carillon-height, 640px);
  --hover: color-mix(in srgb, var(--text) 5%, transparent);
  --fresh: color-mix(in srgb, var(--accent) 7%, transparent);
  color-scheme: light dark;
  display: inline-block;
  position: relative;
  font: 14px/1.45 var(--carillon-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  letter-spacing: normal;
  text-align: start;
}
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([hidden]) { display: none; }

*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button {
  margin: 0;
  padding: 0;
  border: 0;
  background: none;
  color: inherit;
  font: inherit;
  letter-spacing: inherit;
  cursor: pointer;
}
button:disabled { cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
ul, h2, h3, p { margin: 0; padding: 0; font: inherit; list-style: none; }
.icon {
  display: block;
  width: 20px;
  height: 20px;
  fill: none;
  stroke: currentColor;
  stroke-width: 1.75;
  stroke-linecap: round;
  stroke-linejoin: round;
}
.icon-more { stroke-width: 2.75; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

/* The bell */
.bell {
  position: relative;
  display: grid;
  place-items: center;
  width: 40px;
  height: 40px;
  border-radius: 12px;
  color: var(--carillon-bell, currentColor);
  transition: background 0.15s;
}
.bell:hover, .bell[aria-expanded="true"] { background: color-mix(in srgb, currentColor 9%, transparent); }
.bell .icon { width: 24px; height: 24px; transform-origin: 50% 12%; }
.badge {
  position: absolute;
  inset-block-start: 1px;
  inset-inline-end: 0;
  min-width: 18px;
  height: 18px;
  padding: 0 5px;
  border-radius: 9px;
  background: var(--badge);
  color: var(--on-badge);
  font-size: 11px;
  font-weight: 700;
  line-height: 18px;
  text-align: center;
  font-variant-numeric: tabular-nums;
  pointer-events: none;
}
.bell[data-state="lost"] .icon { opacity: 0.5; }
.lost {
  position: absolute;
  inset-block-end: 5px;
  inset-inline-end: 5px;
  width: 10px;
  height: 10px;
  border-radius: 50%;
  border: 2px solid var(--surface);
  background: light-dark(#b45309, #fbbf24);
}
.bell.ringing .icon { animation: ring 0.9s ease-in-out; }
.badge.new { animation: pop 0.35s ease-out; }
@keyframes ring {
  0%, 100% { transform: rotate(0); } 15% { transform: rotate(14deg); } 35% { transform: rotate(-11deg); }
  55% { transform: rotate(7deg); } 75% { transform: rotate(-4deg); }
}
@keyframes pop { 0% { transform: scale(0.4); } 65% { transform: scale(1.15); } 100% { transform: scale(1); } }
`;

export const style = new CSSStyleSheet();
style.replaceSync(bellStyle + listStyle + panelStyle);
