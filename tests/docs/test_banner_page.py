"""docs/banner.md says what the banner's sources do, name for name."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "banner.md").read_text("utf-8")
SOURCES = ROOT / "clients" / "browser"
SCRIPT = "\n".join(path.read_text("utf-8") for path in sorted((SOURCES / "src").glob("*.js")))
LOOK = (SOURCES / "src" / "look.css").read_text("utf-8")
TYPES = (SOURCES / "types.d.ts").read_text("utf-8")
LARGEST_PICTURE = 150_000
"""Bytes."""


def rows(heading: str) -> set[str]:
    """Give the names in the first column of the table whose head begins so."""
    table = PAGE[PAGE.index(f"| {heading}") :].split("\n\n", 1)[0]
    return {name for line in table.splitlines()[2:] for name in re.findall(r"`([\w:-]+)", line.split("|")[1])}


def test_every_attribute_of_the_tag_is_told_and_no_other() -> None:
    used = {
        f"data-{name}" for name in re.findall(r'options\.(\w+)|"(\w+)" in options', SCRIPT) for name in name if name
    }
    assert rows("attribute") == used


def test_every_member_of_the_page_s_api_is_told_and_no_other() -> None:
    members = TYPES[TYPES.index("export interface PageConsent") :].split("}", 1)[0]
    assert rows("`window.consent`") == set(re.findall(r"^  (\w+)", members, re.MULTILINE))


def test_every_event_is_told_and_no_other() -> None:
    union = re.search(r'@param \{((?:"\w+"(?: \| )?)+)\} name', SCRIPT)
    assert union
    assert rows("event on `document`") == {f"consent:{name}" for name in re.findall(r'"(\w+)"', union[1])}


def test_every_property_of_the_theme_is_told_and_no_other() -> None:
    assert set(re.findall(r"^  (--choices-[a-z-]+):", PAGE, re.MULTILINE)) == set(
        re.findall(r"--choices-[a-z-]+\b", LOOK)
    )


@pytest.mark.parametrize("name", sorted(set(re.findall(r"screenshots/[a-z-]+\.png", PAGE))))
def test_the_pictures_are_there_and_small(name: str) -> None:
    assert 0 < (ROOT / "docs" / name).stat().st_size <= LARGEST_PICTURE
