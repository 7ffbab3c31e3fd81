// The list in the panel, and what stands in its place while there is none.

export const listStyle = `
/* The list */
.scroll {
  position: relative;
  flex: 0 1 auto;
  min-height: 320px;
  overflow-y: auto;
  overscroll-behavior: contain;
  scrollbar-width: thin;
  scrollbar-color: var(--line) transparent;
}
.day {
  position: sticky;
  top: 0;
  z-index: 1;
  padding: 12px 20px 6px;
  background: var(--surface);
  color: var(--quiet);
  font-size: 12px;
  font-weight: 600;
  letter-spacing: 0.02em;
}
.row {
  position: relative;
  display: grid;
  grid-template-columns: 38px minmax(0, 1fr) auto;
  gap: 0 12px;
  padding: 10px 12px 10px 20px;
  content-visibility: auto;
  contain-intrinsic-size: auto 78px;
}
.row:dir(rtl) { padding: 10px 20px 10px 12px; }
.row::after {
  content: "";
  position: absolute;
  inset: auto 0 0;
  margin-inline: 70px 20px;
  border-bottom: 1px solid var(--line);
}
.row:last-child::after { display: none; }
.row.unread { background: var(--fresh); }
.row:hover, .row.chosen { background: var(--hover); }
.row.unread:hover, .row.unread.chosen { background: color-mix(in srgb, var(--accent) 12%, transparent); }
.row.unread::before {
  content: "";
  position: absolute;
  inset-inline-start: 7px;
  inset-block-start: 25px;
  width: 8px;
  height: 8px;
  border-radius: 50%;
  background: var(--accent);
}
.tile {
  display: grid;
  place-items: center;
  width: 38px;
  height: 38px;
  border-radius: 12px;
  font-size: 16px;
  font-weight: 600;
  background: light-dark(oklch(0.93 0.045 var(--hue)), oklch(0.34 0.055 var(--hue)));
  color: light-dark(oklch(0.42 0.11 var(--hue)), oklch(0.87 0.08 var(--hue)));
}
.open {
  display: flex;
  flex-direction: column;
  align-items: stretch;
  min-width: 0;
  text-align: start;
  border-radius: 8px;
}
.open:focus-visible { outline-offset: 3px; }
.open::after { content: ""; position: absolute; inset: 0; }
/* Texts find their own direction, and stand where the others do. */
.open:dir(ltr) > * { text-align: left; }
.open:dir(rtl) > * { text-align: right; }
.title { overflow: hidden; font-weight: 500; text-overflow: ellipsis; white-space: nowrap; }
.unread .title, .unread .message.alone { font-weight: 650; }
.message {
  display: -webkit-box;
  overflow: hidden;
  color: var(--quiet);
  overflow-wrap: anywhere;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 2;
  line-clamp: 2;
}
.message.alone { color: var(--text); -webkit-line-clamp: 3; line-clamp: 3; }
.meta {
  display: flex;
  align-items: center;
  flex-wrap: wrap;
  gap: 3px 8px;
  margin-top: 3px;
  color: var(--quiet);
  font-size: 12px;
}
.meta .from { overflow: hidden; max-width: 100%; text-overflow: ellipsis; white-space: nowrap; }
.meta .note:empty { display: none; }
.note { color: var(--accent); font-weight: 500; }
.priority { padding: 0 7px; border-radius: 8px; font-size: 11px; font-weight: 600; line-height: 17px; }
.priority.high { background: light-dark(#fdeecf, #3b2d10); color: light-dark(#7f4200, #f6c667); }
.priority.urgent { background: light-dark(#fde5e2, #451d19); color: light-dark(#a3170c, #ffaaa0); }
.side { display: flex; flex-direction: column; align-items: flex-end; gap: 4px; }
.time {
  padding-inline-end: 8px;
  color: var(--quiet);
  font-size: 12px;
  line-height: 20px;
  white-space: nowrap;
  font-variant-numeric: tabular-nums;
}
.actions { position: relative; z-index: 1; display: flex; }
.actions .read { opacity: 0; }
.row:hover .read, .row:focus-within .read, .row.chosen .read { opacity: 1; }
@media (pointer: coarse) { .actions .read { display: none; } }

.foot {
  display: grid;
  place-items: center;
  min-height: 52px;
  padding: 8px 20px 12px;
  color: var(--quiet);
  font-size: 13px;
}
.foot:empty { display: none; }

/* Nothing to show, nothing yet, nothing at all */
.blank {
  display: grid;
  place-content: center;
  justify-items: center;
  gap: 4px;
  min-height: 320px;
  height: 100%;
  padding: 24px 40px 40px;
  text-align: center;
}
.blank .disc {
  display: grid;
  place-items: center;
  width: 84px;
  height: 84px;
  margin-bottom: 14px;
  border-radius: 50%;
  --middle: color-mix(in srgb, var(--accent) 18%, transparent);
  --edge: color-mix(in srgb, var(--accent) 7%, transparent);
  background: radial-gradient(circle at 50% 35%, var(--middle), var(--edge));
  color: var(--accent);
}
.blank .disc .icon { width: 38px; height: 38px; stroke-width: 1.5; }
.blank.bad .disc { background: light-dark(#fde9e6, #3d1c19); color: light-dark(#a3170c, #ffaaa0); }
.blank strong { font-size: 16px; font-weight: 600; }
.blank p { color: var(--quiet); overflow-wrap: anywhere; }
.blank .text { margin-top: 12px; }
.bone { display: grid; grid-template-columns: 38px 1fr; gap: 0 12px; padding: 14px 20px; }
.bone i {
  display: block;
  border-radius: 6px;
  --gleam: color-mix(in srgb, var(--line) 45%, transparent);
  background: linear-gradient(100deg, var(--line) 40%, var(--gleam) 50%, var(--line) 60%) 0 0 / 300% 100%;
  animation: shimmer 1.6s linear infinite;
}
.bone i:nth-child(1) { grid-row: span 2; width: 38px; height: 38px; border-radius: 12px; }
.bone i:nth-child(2) { width: 45%; height: 12px; margin-top: 3px; }
.bone i:nth-child(3) { width: 85%; height: 12px; margin-top: 9px; }
@keyframes shimmer { from { background-position: 100% 0; } to { background-position: 0 0; } }

.toast {
  position: absolute;
  inset: auto 16px 16px;
  display: flex;
  align-items: center;
  gap: 12px;
  padding: 8px 8px 8px 16px;
  border-radius: 12px;
  background: light-dark(#1d2b29, #e8efed);
  color: light-dark(#ffffff, #16211f);
  box-shadow: 0 8px 24px rgb(0 0 0 / 25%);
  animation: rise 0.16s ease-out;
  z-index: 2;
}
.toast:dir(rtl) { padding: 8px 16px 8px 8px; }
.toast .text { margin-inline-start: auto; color: light-dark(#7fe3d6, #0b6e68); }
`;
