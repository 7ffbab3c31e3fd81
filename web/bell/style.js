// How the bell looks. Constructed, not written into the page, so that a strict content security policy lets it be.

const css = `
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
button { margin: 0; padding: 0; border: 0; background: none; color: inherit; font: inherit; letter-spacing: inherit; cursor: pointer; }
button:disabled { cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
ul, h2, h3, p { margin: 0; padding: 0; font: inherit; list-style: none; }
.icon { display: block; width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.icon-more { stroke-width: 2.75; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

/* The bell */
.bell { position: relative; display: grid; place-items: center; width: 40px; height: 40px; border-radius: 12px;
  color: var(--carillon-bell, currentColor); transition: background 0.15s; }
.bell:hover, .bell[aria-expanded="true"] { background: color-mix(in srgb, currentColor 9%, transparent); }
.bell .icon { width: 24px; height: 24px; transform-origin: 50% 12%; }
.badge { position: absolute; inset-block-start: 1px; inset-inline-end: 0; min-width: 18px; height: 18px; padding: 0 5px; border-radius: 9px;
  background: var(--badge); color: var(--on-badge); font-size: 11px; font-weight: 700; line-height: 18px; text-align: center;
  font-variant-numeric: tabular-nums; pointer-events: none; }
.bell[data-state="lost"] .icon { opacity: 0.5; }
.lost { position: absolute; inset-block-end: 5px; inset-inline-end: 5px; width: 10px; height: 10px; border-radius: 50%;
  border: 2px solid var(--surface); background: light-dark(#b45309, #fbbf24); }
.bell.ringing .icon { animation: ring 0.9s ease-in-out; }
.badge.new { animation: pop 0.35s ease-out; }
@keyframes ring {
  0%, 100% { transform: rotate(0); } 15% { transform: rotate(14deg); } 35% { transform: rotate(-11deg); }
  55% { transform: rotate(7deg); } 75% { transform: rotate(-4deg); }
}
@keyframes pop { 0% { transform: scale(0.4); } 65% { transform: scale(1.15); } 100% { transform: scale(1); } }

/* The panel */
.panel { position: fixed; inset: auto; left: var(--x, 8px); top: var(--y, 8px); width: min(var(--width), calc(100vw - 16px));
  height: min(var(--height), var(--room, 90vh)); margin: 0; padding: 0; overflow: hidden; flex-direction: column;
  border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--text);
  box-shadow: 0 1px 2px rgb(0 0 0 / 6%), 0 8px 20px rgb(0 0 0 / 8%), 0 24px 56px rgb(0 0 0 / 14%); }
.panel:popover-open { display: flex; animation: rise 0.16s ease-out; }
.panel:focus { outline: none; }
.panel::backdrop { background: transparent; }
@keyframes rise { from { opacity: 0; transform: translateY(-6px); } }

.head { display: flex; align-items: center; gap: 8px; padding: 16px 12px 10px 20px; }
.head:dir(rtl) { padding: 16px 20px 10px 12px; }
.head h2 { font-size: 18px; font-weight: 700; letter-spacing: -0.01em; }
.total { padding: 1px 8px; border-radius: 10px; background: color-mix(in srgb, var(--accent) 13%, transparent); color: var(--accent);
  font-size: 12px; font-weight: 700; font-variant-numeric: tabular-nums; }
.head .end { display: flex; gap: 2px; margin-inline-start: auto; }
.text { display: inline-flex; align-items: center; gap: 6px; padding: 6px 10px; border-radius: 9px; color: var(--accent); font-size: 13px; font-weight: 600; }
.text:hover:not(:disabled) { background: color-mix(in srgb, var(--accent) 10%, transparent); }
.text:disabled { color: var(--quiet); opacity: 0.75; }
.text .icon { width: 17px; height: 17px; }
.small { display: grid; place-items: center; width: 32px; height: 32px; border-radius: 9px; color: var(--quiet); }
.small:hover, .small[aria-expanded="true"] { background: color-mix(in srgb, var(--text) 9%, transparent); color: var(--text); }
.head .close { display: none; }

.views { display: flex; gap: 18px; padding: 0 20px; border-bottom: 1px solid var(--line); }
.views button { position: relative; padding: 7px 1px 10px; color: var(--quiet); font-weight: 550; border-radius: 4px 4px 0 0; }
.views button:hover { color: var(--text); }
.views button[aria-selected="true"] { color: var(--text); font-weight: 650; }
.views button[aria-selected="true"]::after { content: ""; position: absolute; inset: auto 0 -1px; height: 2px; border-radius: 2px; background: var(--accent); }

.banner { display: flex; align-items: center; gap: 10px; padding: 9px 12px 9px 20px; border-bottom: 1px solid var(--line);
  background: light-dark(#fef6e4, #34290f); color: light-dark(#7a3e00, #f6cd7a); font-size: 13px; }
.banner:dir(rtl) { padding: 9px 20px 9px 12px; }
.banner .text { margin-inline-start: auto; color: inherit; white-space: nowrap; text-decoration: underline; text-underline-offset: 3px; }

/* The list */
.scroll { position: relative; flex: 1; overflow-y: auto; overscroll-behavior: contain; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
.day { position: sticky; top: 0; z-index: 1; padding: 12px 20px 6px; background: var(--surface); color: var(--quiet);
  font-size: 12px; font-weight: 650; letter-spacing: 0.02em; }
.row { position: relative; display: grid; grid-template-columns: 38px minmax(0, 1fr) auto; gap: 0 12px; padding: 10px 12px 10px 20px;
  content-visibility: auto; contain-intrinsic-size: auto 78px; }
.row:dir(rtl) { padding: 10px 20px 10px 12px; }
.row::after { content: ""; position: absolute; inset: auto 0 0; margin-inline: 70px 20px; border-bottom: 1px solid var(--line); }
.row:last-child::after { display: none; }
.row.unread { background: var(--fresh); }
.row:hover, .row.chosen { background: var(--hover); }
.row.unread:hover, .row.unread.chosen { background: color-mix(in srgb, var(--accent) 12%, transparent); }
.row.unread::before { content: ""; position: absolute; inset-inline-start: 7px; inset-block-start: 25px; width: 8px; height: 8px; border-radius: 50%; background: var(--accent); }
.tile { display: grid; place-items: center; width: 38px; height: 38px; border-radius: 12px; font-size: 16px; font-weight: 650;
  background: light-dark(oklch(0.93 0.045 var(--hue)), oklch(0.34 0.055 var(--hue)));
  color: light-dark(oklch(0.42 0.11 var(--hue)), oklch(0.87 0.08 var(--hue))); }
.open { display: flex; flex-direction: column; align-items: stretch; min-width: 0; text-align: start; border-radius: 8px; }
.open:focus-visible { outline-offset: 3px; }
.open::after { content: ""; position: absolute; inset: 0; }
.title { overflow: hidden; font-weight: 550; text-overflow: ellipsis; white-space: nowrap; }
.unread .title, .unread .message.alone { font-weight: 650; }
.message { display: -webkit-box; overflow: hidden; color: var(--quiet); overflow-wrap: anywhere; -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-clamp: 2; }
.message.alone { color: var(--text); -webkit-line-clamp: 3; line-clamp: 3; }
.meta { display: flex; align-items: center; flex-wrap: wrap; gap: 3px 8px; margin-top: 3px; color: var(--quiet); font-size: 12px; }
.meta .from { overflow: hidden; max-width: 100%; text-overflow: ellipsis; white-space: nowrap; }
.meta .note:empty { display: none; }
.note { color: var(--accent); font-weight: 550; }
.priority { padding: 0 7px; border-radius: 8px; font-size: 11px; font-weight: 650; line-height: 17px; }
.priority.high { background: light-dark(#fdeecf, #3b2d10); color: light-dark(#7f4200, #f6c667); }
.priority.urgent { background: light-dark(#fde5e2, #451d19); color: light-dark(#a3170c, #ffaaa0); }
.side { display: flex; flex-direction: column; align-items: flex-end; gap: 4px; }
.time { padding-inline-end: 8px; color: var(--quiet); font-size: 12px; line-height: 20px; white-space: nowrap; font-variant-numeric: tabular-nums; }
.actions { position: relative; z-index: 1; display: flex; }
.actions .read { opacity: 0; }
.row:hover .read, .row:focus-within .read, .row.chosen .read { opacity: 1; }
@media (hover: none) { .actions .read { display: none; } }

.foot { display: grid; place-items: center; min-height: 52px; padding: 8px 20px 12px; color: var(--quiet); font-size: 13px; }
.foot:empty { display: none; }

/* Nothing to show, nothing yet, nothing at all */
.blank { display: grid; place-content: center; justify-items: center; gap: 4px; height: 100%; padding: 24px 40px 56px; text-align: center; }
.blank .disc { display: grid; place-items: center; width: 84px; height: 84px; margin-bottom: 14px; border-radius: 50%;
  background: radial-gradient(circle at 50% 35%, color-mix(in srgb, var(--accent) 18%, transparent), color-mix(in srgb, var(--accent) 7%, transparent)); color: var(--accent); }
.blank .disc .icon { width: 38px; height: 38px; stroke-width: 1.5; }
.blank.bad .disc { background: light-dark(#fde9e6, #3d1c19); color: light-dark(#a3170c, #ffaaa0); }
.blank strong { font-size: 16px; font-weight: 650; }
.blank p { color: var(--quiet); overflow-wrap: anywhere; }
.blank .text { margin-top: 12px; }
.bone { display: grid; grid-template-columns: 38px 1fr; gap: 0 12px; padding: 14px 20px; }
.bone i { display: block; border-radius: 6px; background: linear-gradient(100deg, var(--line) 40%, color-mix(in srgb, var(--line) 45%, transparent) 50%, var(--line) 60%) 0 0 / 300% 100%;
  animation: shimmer 1.6s linear infinite; }
.bone i:nth-child(1) { grid-row: span 2; width: 38px; height: 38px; border-radius: 12px; }
.bone i:nth-child(2) { width: 45%; height: 12px; margin-top: 3px; }
.bone i:nth-child(3) { width: 85%; height: 12px; margin-top: 9px; }
@keyframes shimmer { from { background-position: 100% 0; } to { background-position: 0 0; } }

.toast { position: absolute; inset: auto 16px 16px; display: flex; align-items: center; gap: 12px; padding: 8px 8px 8px 16px; border-radius: 12px;
  background: light-dark(#1d2b29, #e8efed); color: light-dark(#ffffff, #16211f); box-shadow: 0 8px 24px rgb(0 0 0 / 25%); animation: rise 0.16s ease-out; z-index: 2; }
.toast:dir(rtl) { padding: 8px 16px 8px 8px; }
.toast .text { margin-inline-start: auto; color: light-dark(#7fe3d6, #0b6e68); }

/* The menu */
.menu { position: fixed; inset: auto; left: var(--x, 0); top: var(--y, 0); width: max-content; min-width: 232px; max-width: calc(100vw - 16px); margin: 0; padding: 6px;
  border: 1px solid var(--line); border-radius: 12px; background: var(--surface); color: var(--text);
  box-shadow: 0 4px 12px rgb(0 0 0 / 10%), 0 16px 40px rgb(0 0 0 / 16%); }
.choice { display: flex; align-items: center; gap: 10px; width: 100%; padding: 7px 10px; border-radius: 8px; text-align: start; }
.choice:hover, .choice:focus-visible { background: var(--hover); outline: none; }
.choice:focus-visible { box-shadow: inset 0 0 0 2px var(--accent); }
.choice .icon { width: 18px; height: 18px; color: var(--quiet); }
.choice .when { margin-inline-start: auto; padding-inline-start: 16px; color: var(--quiet); font-size: 12px; white-space: nowrap; }
.choice.delete, .choice.delete .icon { color: light-dark(#a3170c, #ffaaa0); }
.caption { padding: 4px 10px 2px; color: var(--quiet); font-size: 12px; font-weight: 650; }
hr { height: 1px; margin: 6px 4px; border: 0; background: var(--line); }

/* Phones: a sheet from the bottom */
@media (max-width: 520px) {
  .panel { left: 0; top: auto; bottom: 0; width: 100vw; max-width: none; height: min(88dvh, 760px); border-width: 1px 0 0;
    border-radius: calc(var(--radius) + 4px) calc(var(--radius) + 4px) 0 0; padding-bottom: env(safe-area-inset-bottom); }
  .panel:popover-open { animation-name: slide; animation-duration: 0.22s; }
  .panel::backdrop { background: rgb(8 16 15 / 45%); }
  .head .close { display: grid; }
  .small { width: 36px; height: 36px; }
  .choice { padding-block: 10px; }
}
@keyframes slide { from { transform: translateY(40%); opacity: 0; } }

@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
}
@media (forced-colors: active) {
  .badge, .total, .priority { border: 1px solid; }
  .row.unread::before { background: Highlight; forced-color-adjust: none; }
}
`;

export const style = new CSSStyleSheet();
style.replaceSync(css);
