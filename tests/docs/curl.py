"""Reads the pages' curl lines as requests, so that tests need no curl and pages stay what a person would type."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

_STEP = re.compile(r"```bash\n(?P<command>curl .*?)\n```\n\n```json\n(?P<answer>.*?)\n```", re.DOTALL)


@dataclass
class Curl:
    """One request as a curl line says it."""

    method: str = "GET"
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


def steps(page: Path) -> list[tuple[str, str]]:
    """Give the page's curl lines, each with the answer that follows it, as text."""
    return [(match["command"], match["answer"]) for match in _STEP.finditer(page.read_text("utf-8"))]


def parse(command: str, variables: Mapping[str, str]) -> Curl:
    """Read a curl line, with `$NAME` replaced; raises ValueError for an option that pages do not use."""
    words = iter(shlex.split(Template(command).safe_substitute(variables))[1:])
    request = Curl()
    for word in words:
        _take(request, word, words)
    return request


def _take(request: Curl, word: str, words: Iterator[str]) -> None:
    if word == "-X":
        request.method = next(words)
    elif word == "-H":
        name, _, value = next(words).partition(":")
        request.headers[name] = value.strip()
    elif word == "-d":
        request.body = next(words).encode()
    elif word.startswith("-"):
        raise ValueError(f"the page uses the option {word}, which is not read here")
    else:
        request.url = word


def missing(expected: object, found: object, place: str = "") -> list[str]:
    """List where `found` lacks what `expected` has; further members and items are no matter, `$NAME` fits any text."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [text for name in expected for text in missing(expected[name], found.get(name), f"{place}/{name}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [text for index, (want, have) in pairs for text in missing(want, have, f"{place}/{index}")]
    if isinstance(expected, str) and expected.startswith("$") and isinstance(found, str):
        return []
    return [] if expected == found else [f"{place}: {json.dumps(found)} where the page says {json.dumps(expected)}"]
