"""Take the pictures of the banner for people to look at: `python -m tests.browser.pictures`.

They stand in build/screenshots/. With `--docs` the four that docs/banner.md shows are taken anew as well.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.policy import document
from tests.browser.service import serving
from tests.browser.shop import Shop
from tests.browser.steps import until
from tests.support.chromium import FLAGS, find_chromium

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "screenshots"
DOCS = ROOT / "docs" / "screenshots"
LARGE_TEXT = "--blink-settings=defaultFontSize=32"
LANGUAGES = {"en": "ltr", "de": "ltr", "zh-Hans": "ltr", "ar": "rtl"}
SIZES = {"320": (320, 568), "phone": (390, 844), "desktop": (1280, 800)}
IN_DOCS = {
    "layer-en-desktop-light": "first-layer",
    "centre-en-desktop-dark": "preference-centre-dark",
    "layer-de-phone-light": "first-layer-phone",
    "centre-ar-phone-light": "preference-centre-arabic",
}


@dataclass(frozen=True)
class Picture:
    """One picture to take."""

    layer: str
    lang: str
    size: str
    scheme: str
    large: bool = False

    @property
    def name(self) -> str:
        """Name its file."""
        return "-".join((self.layer, self.lang, self.size, self.scheme, *(["text200"] if self.large else [])))


def wanted() -> list[Picture]:
    """Give every picture."""
    layers = ("layer", "centre", "known", "below", "answered", "gpc")
    plain = [Picture(layer, lang, size, "light") for layer in layers for lang in LANGUAGES for size in SIZES]
    dark = [Picture(layer, lang, size, "dark") for layer in layers for lang in ("en", "ar") for size in SIZES]
    large = [
        Picture(layer, lang, size, "light", large=True) for layer in layers for lang in LANGUAGES for size in SIZES
    ]
    return plain + dark + large


def take(browser: Browser, shop: Shop, picture: Picture) -> None:
    """Bring a new visitor there and take the picture."""
    width, height = SIZES[picture.size]
    gpc = {"extra_http_headers": {"Sec-GPC": "1"}} if picture.layer == "gpc" else {}
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=picture.scheme, reduced_motion="reduce", **gpc
    )
    page = context.new_page()
    shop.region = "US-CA" if picture.layer == "gpc" else "FR"
    page.goto(shop.show(lang=picture.lang, direction=LANGUAGES[picture.lang]))
    page.locator(".chx").first.wait_for()
    if picture.layer in {"centre", "below"}:
        page.locator(".chx-layer .chx-button").last.click()
    elif picture.layer in {"answered", "known"}:
        page.locator(".chx-layer .chx-button").first.click()
    if picture.layer == "known":
        until(page, "consent.get().visitor_id")
        page.locator(".chx-way").click()
    if picture.layer == "gpc":
        page.locator(".chx-way").click()
    if picture.layer == "below":
        page.locator(".chx-centre footer button").nth(1).click()
        until(page, "consent.get().visitor_id")
        page.locator(".chx-way").click()
        page.locator(".chx-list summary").nth(2).click()
        page.locator(".chx-tools button").first.click()
        page.locator(".chx-history li").first.wait_for()
        page.locator(".chx-list > li").nth(2).evaluate("e => e.scrollIntoView()")
    page.wait_for_timeout(200)
    PLACE.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PLACE / f"{picture.name}.png")
    if picture.layer == "below":
        page.locator(".chx-tools").evaluate("e => e.scrollIntoView()")
        page.wait_for_timeout(50)
        page.screenshot(path=PLACE / f"{picture.name}-2.png")
    context.close()


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--docs", action="store_true", help="take those of docs/banner.md, and only those")
    parser.add_argument("--only", default="", help="take those whose name has this in it")
    options = parser.parse_args()
    chosen = [one for one in wanted() if options.only in one.name and (not options.docs or one.name in IN_DOCS)]
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(Path(directory), document()) as service,
        sync_playwright() as p,
    ):
        shop = Shop(service.handle)
        for large in (False, True):
            browser = p.chromium.launch(
                executable_path=find_chromium(), args=[*FLAGS, *([LARGE_TEXT] if large else [])]
            )
            for picture in chosen:
                if picture.large is large:
                    take(browser, shop, picture)
            browser.close()
        shop.close()
    for name, title in IN_DOCS.items() if options.docs else ():
        DOCS.mkdir(parents=True, exist_ok=True)
        (DOCS / f"{title}.png").write_bytes((PLACE / f"{name}.png").read_bytes())
    print(f"{len(chosen)} pictures in {PLACE.relative_to(ROOT)}/")


if __name__ == "__main__":
    main()
