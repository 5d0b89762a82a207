"""The small readers that several parts of a policy document share: names, addresses, texts and regions."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from consent_service.domain import regions
from consent_service.domain.document_reader import Node
from consent_service.domain.policy import Texts

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")


def slug(text: str) -> str:
    """Accept a site's short name."""
    if not _SLUG.fullmatch(text):
        raise ValueError("1 to 63 lower-case letters, digits and hyphens are expected")
    return text


def version(text: str) -> str:
    """Accept a policy version's name."""
    if not _VERSION.fullmatch(text):
        raise ValueError("1 to 64 letters, digits, dots, underscores and hyphens are expected")
    return text


def origin(text: str) -> str:
    """Accept a web origin (RFC 6454) as a browser would serialise it."""
    expected = "an origin such as https://shop.example, without a path, is expected"
    if not _ORIGIN.fullmatch(text.lower()):
        raise ValueError(expected)
    try:
        host_of(text)
    except ValueError:  # brackets around what is no IPv6 address
        raise ValueError(expected) from None
    return text.lower()


def host_of(text: str) -> str:
    """Give the host of an origin, with its port where it names one."""
    return urlsplit(text).netloc


def url(text: str) -> str:
    """Accept an absolute http or https address that carries no credentials."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and not parts.username
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", text):
        raise ValueError("an absolute http or https address is expected")
    return text


def read_texts(node: Node) -> Texts:
    """Read an object of texts."""
    return {name: text.text() for name, text in node.members()}


def read_regions(node: Node) -> frozenset[str]:
    """Read a list of region codes; `*` stands for everywhere."""
    return frozenset(item.parsed(_region, "region-unfit", "") for item in node.items()) - {""}


def region_rows(root: Node, member: str) -> Iterator[tuple[str, Node]]:
    """Go through a table by region; its row `default` is given as the one for anywhere."""
    if not root.has(member):
        return
    for name, node in root.at(member).members():
        if name == "default":
            yield regions.ANYWHERE, node
        elif regions.parse_region(name) is None:
            node.fault("region-unfit", "a region such as FR or US-CA, or `default`, is expected")
        else:
            yield name.upper(), node


def _region(text: str) -> str:
    code = regions.ANYWHERE if text == regions.ANYWHERE else regions.parse_region(text)
    if code is None:
        raise ValueError("a region such as FR or US-CA, or *, is expected")
    return code
