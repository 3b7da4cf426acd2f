"""Pictures of the main pages, to be looked at: ``python tests/site/screenshots.py SITE FOLDER``.

``make screenshots`` builds the site and takes them: each page on a desktop in the dark and on a
phone in the light, the first screen and the whole page.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PAGES = {
    "home": "index.html",
    "zoo": "networks/index.html",
    "network": "networks/resnet50.html",
    "guide": "guides/digits.html",
    "idea": "ideas/pooling.html",
}
LOOKS = {
    "desktop-dark": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "dark"},
    "phone-light": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}


def main(site: str, folder: str) -> None:
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    program = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program)
        for look, settings in LOOKS.items():
            page = browser.new_context(**settings).new_page()
            for name, path in PAGES.items():
                page.goto((Path(site).resolve() / path).as_uri())
                page.wait_for_load_state("networkidle")
                page.screenshot(path=out / f"{name}-{look}.png")
                page.screenshot(path=out / f"{name}-{look}-whole.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
