"""Chromium for all browser tests, and what a page says on its console.

Environment: CHROMIUM (default /usr/bin/chromium), SCREENSHOTS (a folder to keep; default a temporary one).
"""

import os
import pathlib
import tempfile

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SCREENSHOTS = pathlib.Path(os.environ.get("SCREENSHOTS") or tempfile.mkdtemp(prefix="carillon-screenshots-"))


def launch(playwright):
    """Starts Debian's Chromium. `headless=False` only keeps playwright from adding its own headless flags."""
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    return playwright.chromium.launch(executable_path=CHROMIUM, headless=False, args=flags)


def listen(page, said, expected=()):
    """Appends to `said` what goes wrong in `page`, but for texts that begin with one of `expected`."""
    # The browser reports violations of the content security policy on the console as well.
    page.on(
        "console",
        lambda entry: entry.type in ("error", "warning")
        and not entry.text.startswith(tuple(expected))
        and said.append(entry.text),
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}") or dialog.dismiss())
