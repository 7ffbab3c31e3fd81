// The panel that opens under the bell, its menu, and how both look on phones.

export const panelStyle = `
/* The panel */
.panel {
  position: fixed;
  inset: auto;
  left: var(--x, 8px);
  top: var(--y, auto);
  bottom: var(--bottom, auto);
  width: min(var(--width), calc(100vw - 16px));
  max-height: min(var(--height), var(--room, 90vh));
  margin: 0;
  padding: 0;
  overflow: hidden;
  flex-direction: column;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--surface);
  color: var(--text);
  box-shadow: 0 1px 2px rgb(0 0 0 / 6%), 0 8px 20px rgb(0 0 0 / 8%), 0 24px 56px rgb(0 0 0 / 14%);
}
.panel:popover-open { display: flex; animation: rise 0.16s ease-out; }
.panel:focus { outline: none; }
.panel::backdrop { background: transparent; }
@keyframes rise { from { opacity: 0; transform: translateY(-6px); } }

.head { display: flex; align-items: center; gap: 8px; padding: 16px 12px 10px 20px; }
.head:dir(rtl) { padding: 16px 20px 10px 12px; }
.head h2 { font-size: 18px; font-weight: 700; letter-spacing: -0.01em; }
.total {
  padding: 1px 8px;
  border-radius: 10px;
  background: color-mix(in srgb, var(--accent) 13%, transparent);
  color: var(--accent);
  font-size: 12px;
  font-weight: 700;
  font-variant-numeric: tabular-nums;
}
.head .end { display: flex; gap: 2px; margin-inline-start: auto; }
.text {
  display: inline-flex;
  align-items: center;
  gap: 6px;
  padding: 6px 10px;
  border-radius: 9px;
  color: var(--accent);
  font-size: 13px;
  font-weight: 600;
}
.text:hover:not(:disabled) { background: color-mix(in srgb, var(--accent) 10%, transparent); }
.text:disabled { color: var(--quiet); opacity: 0.75; }
.text .icon { width: 17px; height: 17px; }
.small { display: grid; place-items: center; width: 32px; height: 32px; border-radius: 9px; color: var(--quiet); }
.small:hover, .small[aria-expanded="true"] {
  background: color-mix(in srgb, var(--text) 9%, transparent);
  color: var(--text);
}
.head .close { display: none; }

.views { display: flex; gap: 18px; padding: 0 20px; border-bottom: 1px solid var(--line); }
.views button {
  position: relative;
  padding: 7px 1px 10px;
  color: var(--quiet);
  font-weight: 500;
  border-radius: 4px 4px 0 0;
}
.views button:hover { color: var(--text); }
.views button[aria-selected="true"] { color: var(--text); font-weight: 600; }
.views button[aria-selected="true"]::after {
  content: "";
  position: absolute;
  inset: auto 0 -1px;
  height: 2px;
  border-radius: 2px;
  background: var(--accent);
}

.banner {
  display: flex;
  align-items: center;
  gap: 10px;
  padding: 9px 12px 9px 20px;
  border-bottom: 1px solid var(--line);
  background: light-dark(#fef6e4, #34290f);
  color: light-dark(#7a3e00, #f6cd7a);
  font-size: 13px;
}
.banner:dir(rtl) { padding: 9px 20px 9px 12px; }
.banner .text {
  margin-inline-start: auto;
  color: inherit;
  white-space: nowrap;
  text-decoration: underline;
  text-underline-offset: 3px;
}

/* The menu */
.menu {
  position: fixed;
  inset: auto;
  left: var(--x, 0);
  top: var(--y, 0);
  width: max-content;
  min-width: 232px;
  max-width: calc(100vw - 16px);
  margin: 0;
  padding: 6px;
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--surface);
  color: var(--text);
  box-shadow: 0 4px 12px rgb(0 0 0 / 10%), 0 16px 40px rgb(0 0 0 / 16%);
}
.choice {
  display: flex;
  align-items: center;
  gap: 10px;
  width: 100%;
  padding: 7px 10px;
  border-radius: 8px;
  text-align: start;
}
.choice:hover, .choice:focus-visible { background: var(--hover); outline: none; }
.choice:focus-visible { box-shadow: inset 0 0 0 2px var(--accent); }
.choice .icon { width: 18px; height: 18px; color: var(--quiet); }
.choice .when {
  margin-inline-start: auto;
  padding-inline-start: 16px;
  color: var(--quiet);
  font-size: 12px;
  white-space: nowrap;
}
.choice.delete, .choice.delete .icon { color: light-dark(#a3170c, #ffaaa0); }
.caption { padding: 4px 10px 2px; color: var(--quiet); font-size: 12px; font-weight: 600; }
hr { height: 1px; margin: 6px 4px; border: 0; background: var(--line); }

/* Phones: a sheet from the bottom */
@media (max-width: 520px) {
  .panel {
    left: 0;
    top: auto;
    bottom: 0;
    width: 100vw;
    max-width: none;
    height: min(88dvh, 760px);
    max-height: none;
    border-width: 1px 0 0;
    border-radius: calc(var(--radius) + 4px) calc(var(--radius) + 4px) 0 0;
    padding-bottom: env(safe-area-inset-bottom);
  }
  .panel:popover-open { animation-name: slide; animation-duration: 0.22s; }
  .panel::backdrop { background: rgb(8 16 15 / 45%); }
  .scroll { flex: 1; }
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
