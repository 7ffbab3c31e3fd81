// Measures how texts and the edges of controls stand out from what is behind them, as WCAG 2.2 reckons contrast.

const fields = "input:not([type=radio], [type=checkbox]), textarea";
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const colour = (text) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = text;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return { rgb: [r, g, b], alpha: a / 255 };
};
const over = (top, ground) => top.rgb.map((part, index) => part * top.alpha + ground[index] * (1 - top.alpha));
const groundOf = (node) => {
  if (!node) return [255, 255, 255];
  const own = colour(getComputedStyle(node).backgroundColor);
  return own.alpha === 1 ? own.rgb : over(own, groundOf(node.parentElement));
};
const luminance = (rgb) => {
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = rgb.map((part) => linear(part / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
};
const isShown = (node) => node.checkVisibility() && node.getBoundingClientRect().width > 1;
window.textContrasts = () => [...document.querySelectorAll("body *")].filter(isShown).flatMap((node) => {
  const found = [];
  const measure = (style, text) => {
    const ground = groundOf(node);
    found.push({ text: text.trim().slice(0, 30), ratio: ratio(over(colour(style.color), ground), ground) });
  };
  const own = [...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE).map((child) => child.data).join("").trim();
  if (own) measure(getComputedStyle(node), own);
  if (node.value && node.matches(fields)) measure(getComputedStyle(node), node.value);
  if (node.placeholder) measure(getComputedStyle(node, "::placeholder"), node.placeholder);
  return found;
});
window.edgeContrasts = () => [...document.querySelectorAll(`${fields}, select, button:not(.link)`)]
  .filter(isShown).map((node) => {
    const edge = colour(getComputedStyle(node).borderTopColor).rgb;
    return { name: node.name || node.id || node.textContent, ratio: ratio(edge, groundOf(node.parentElement)) };
  });
