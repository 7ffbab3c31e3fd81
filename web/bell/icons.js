// Icons of 24 by 24, drawn with lines in the colour of the text.

const paths = {
  bell: ["M6 9.5a6 6 0 0 1 12 0c0 5 1.2 6.6 2.2 7.5H3.8C4.8 16.1 6 14.5 6 9.5Z", "M9.8 20a2.4 2.4 0 0 0 4.4 0"],
  check: ["m5 12.5 4.5 4.5L19 7.5"],
  checks: ["m2.5 12.5 4.5 4.5 8.5-9", "m12 17 9.5-9.5"],
  unread: ["M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7Z"],
  archive: ["M4 5h16v4H4Z", "M5.5 9v10h13V9", "M10 13h4"],
  back: ["M9 14 4.5 9.5 9 5", "M4.5 9.5H14a5 5 0 0 1 0 10h-3"],
  clock: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Z", "M12 7.5V12l3 2"],
  trash: ["M4.5 7h15", "M9 7V4.5h6V7", "M6.5 7l.8 12.5h9.4L17.5 7", "M10.2 11v5", "M13.8 11v5"],
  more: ["M5.5 12h.01", "M12 12h.01", "M18.5 12h.01"],
  close: ["m6 6 12 12", "M18 6 6 18"],
  offline: ["M3 3l18 18", "M8.5 16.4a5 5 0 0 1 7 0", "M5 12.9a10 10 0 0 1 4.3-2.5", "M14.5 10.3a10 10 0 0 1 4.5 2.6", "M12 20h.01"],
  alert: ["M12 4 2.8 19.5h18.4Z", "M12 10v4.5", "M12 17h.01"],
};

const namespace = "http://www.w3.org/2000/svg";

/** An icon for the eye only; its button has the name. */
export function icon(name) {
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  for (const line of paths[name]) {
    const path = document.createElementNS(namespace, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}
