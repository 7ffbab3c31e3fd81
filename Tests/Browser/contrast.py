"""How well texts of the bell can be read: the contrast of WCAG 2 between a text and what lies behind it, computed from the
styles in force."""

# Level AA for texts of ordinary size.
LEAST_RATIO = 4.5

# Colours are painted, one over the other, on a canvas of one pixel: so every notation of CSS is understood.
SCRIPT = """() => {
  const root = document.querySelector("carillon-bell").shadowRoot;
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of ["white", ...colours]) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => {
    const [red, green, blue] = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (node) => {
    const colours = [];
    for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
      colours.unshift(getComputedStyle(at).backgroundColor);
      // Popovers lie in the top layer.
      if (at.popover) break;
    }
    return colours;
  };
  const found = [];
  for (const node of root.querySelectorAll("*")) {
    const texts = [...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE && child.textContent.trim());
    if (!texts.length || !node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || node.matches(".unseen")) continue;
    const colours = behind(node);
    const [dark, light] = [luminance(over(colours)), luminance(over([...colours, getComputedStyle(node).color]))].sort((a, b) => a - b);
    const ratio = Math.round(((light + 0.05) / (dark + 0.05)) * 100) / 100;
    found.push({ text: node.textContent.slice(0, 40), ratio, disabled: Boolean(node.closest(":disabled")) });
  }
  return found;
}"""


def ratios(page) -> list[dict]:
    """Each text that is seen, its ratio, and whether it belongs to a disabled control, of which no contrast is asked."""
    return page.evaluate(SCRIPT)
