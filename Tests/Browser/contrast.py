"""How well what a page shows can be seen: the contrast of WCAG 2.2 at level AA, computed from the styles in force."""

import pathlib

TEXT_RATIO = 4.5
# The edge of a control against what is beside it.
EDGE_RATIO = 3

SCRIPT = pathlib.Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def texts(page, host=None) -> list[dict]:
    """Each text that is seen, and its ratio; `host` is a selector of an element whose shadow root is looked at."""
    return page.evaluate(SCRIPT, {"host": host, "kind": "texts"})


def edges(page) -> list[dict]:
    """Each control, and its ratio."""
    return page.evaluate(SCRIPT, {"host": None, "kind": "edges"})


def faint(measured: list[dict], least: float) -> list[dict]:
    """Those that are hard to see."""
    return [row for row in measured if row["ratio"] < least]
