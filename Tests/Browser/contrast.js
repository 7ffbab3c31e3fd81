// Measures how texts, or the edges of controls, stand out from what is behind them, as WCAG 2.2 reckons contrast: a function for
// contrast.py. `host` names an element whose shadow root is looked at instead of the page; `kind` is "texts" or "edges".

({ host, kind }) => {
  const root = host ? document.querySelector(host).shadowRoot : document.body;
  const fields = "input:not([type=radio], [type=checkbox]), textarea";
  // Colours are painted on a canvas of one pixel, so that every notation of CSS is understood.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const paint = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return { rgb: [r, g, b], alpha: a / 255 };
  };
  const colour = (text) => {
    if (!known.has(text)) known.set(text, paint(text));
    return known.get(text);
  };
  const over = (top, ground) => top.rgb.map((part, index) => part * top.alpha + ground[index] * (1 - top.alpha));
  const groundOf = (node) => {
    if (!node) return [255, 255, 255];
    const own = colour(getComputedStyle(node).backgroundColor);
    if (own.alpha === 1) return own.rgb;
    // Popovers lie in the top layer, over whatever is there.
    return over(own, groundOf(node.popover ? undefined : node.parentElement ?? node.getRootNode().host));
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
  const isShown = (node) =>
    node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && node.getBoundingClientRect().width > 1;
  const textsOf = (node) => {
    const measured = (style, text) => {
      const ground = groundOf(node);
      return { text: text.trim().slice(0, 30), ratio: ratio(over(colour(style.color), ground), ground) };
    };
    const own = [...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE).map((child) => child.data).join("").trim();
    return [
      own && measured(getComputedStyle(node), own),
      node.value && node.matches(fields) && measured(getComputedStyle(node), node.value),
      node.placeholder && measured(getComputedStyle(node, "::placeholder"), node.placeholder),
    ].filter(Boolean);
  };
  const edgeOf = (node) => {
    const edge = colour(getComputedStyle(node).borderTopColor).rgb;
    return { name: node.name || node.id || node.textContent, ratio: ratio(edge, groundOf(node.parentElement)) };
  };
  // Of what is disabled no contrast is asked.
  const shown = [...root.querySelectorAll("*")].filter((node) => isShown(node) && !node.closest(":disabled"));
  if (kind === "texts") return shown.flatMap(textsOf);
  return shown.filter((node) => node.matches(`${fields}, select, button:not(.link)`)).map(edgeOf);
};
