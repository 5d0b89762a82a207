"""Tags that load a tracker, written so that nothing in an argument can break out of them."""

import html
import re
from urllib.parse import urlsplit

_ATTRIBUTE = re.compile(r"[a-z][a-z0-9-]*")

Attribute = str | bool | None


class Markup(str):
    """Text that is HTML already: Jinja and Django know it by `__html__` and do not escape it again."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


NOTHING = Markup("")


def script_tag(src: str, nonce: str | None, attributes: dict[str, Attribute]) -> Markup:
    """Write a script tag."""
    return Markup(f"<script{_attributes({'src': _address(src), 'nonce': nonce, **attributes})}></script>")


def pixel_tag(src: str, attributes: dict[str, Attribute]) -> Markup:
    """Write an image tag of one pixel, without a text that a screen reader would read out."""
    standing: dict[str, Attribute] = {"src": _address(src), "alt": "", "width": "1", "height": "1"}
    return Markup(f"<img{_attributes({**standing, **attributes})}>")


def _attributes(attributes: dict[str, Attribute]) -> str:
    written = []
    for name, value in attributes.items():
        # Python's own words take an underscore behind (`async_`); HTML's hyphens are written as underscores.
        label = name.rstrip("_").replace("_", "-").lower()
        if not _ATTRIBUTE.fullmatch(label):
            raise ValueError(f"not an attribute's name: {name!r}")
        if value is True:
            written.append(f" {label}")
        elif value is not None and value is not False:
            written.append(f' {label}="{html.escape(str(value))}"')
    return "".join(written)


def _address(src: str) -> str:
    if urlsplit(src.strip()).scheme.lower() not in {"", "http", "https"}:
        raise ValueError("the address of a script or pixel is an http or https one, or relative")
    return src
