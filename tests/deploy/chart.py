"""Renders the chart without Helm: just the part of Helm's template language that the chart keeps to.

Known: values by path, `printf`, `quote`, `toJson`, `if`/`if not`/`else`/`end`, `range $key, $value := …`. Anything else is an
error, so that the chart stays as plain as this.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "consent-service"
_TAG = re.compile(r"[ \t]*(?:\n)?[ \t]*\{\{- (?P<trimmed>.*?) \}\}|\{\{ (?P<plain>.*?) \}\}")
_FILTERS: dict[str, Callable[[Any], str]] = {"quote": lambda value: json.dumps(str(value)), "toJson": json.dumps}
_ATOM = re.compile(r'"[^"]*"|\S+')


def render(changes: dict[str, Any] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Render all templates with the chart's values and some changes of them; gives the objects by kind."""
    values: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        holder = values
        for parent in parents:
            holder = holder[parent]
        holder[last] = value
    scope = {"Values": values, "Release": {"Name": "consent", "Namespace": "shop"}}
    found: dict[str, list[dict[str, Any]]] = {}
    for template in sorted((CHART / "templates").glob("*.yaml")):
        for item in yaml.safe_load_all(fill(template.read_text("utf-8"), scope)):
            if item is not None:
                found.setdefault(item["kind"], []).append(item)
    return found


def fill(text: str, scope: dict[str, Any]) -> str:
    """Fill one template."""
    return "".join(_run(iter(_pieces(text)), scope, {})[0])


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    for tag in _TAG.finditer(text):
        yield "text", text[place : tag.start()]
        yield "tag", tag["trimmed"] or tag["plain"]
        place = tag.end()
    yield "text", text[place:]


def _run(pieces: Iterator[tuple[str, str]], scope: dict[str, Any], names: dict[str, Any]) -> tuple[list[str], str]:
    """Give what was rendered up to the `else` or `end` that closes this block, and which of them it was."""
    out: list[str] = []
    for kind, piece in pieces:
        word, _, rest = piece.partition(" ")
        if kind == "text":
            out.append(piece)
        elif piece in {"else", "end"}:
            return out, piece
        elif word == "if":
            out += _choose(pieces, scope, names, rest)
        elif word == "range":
            out += _repeat(list(_block(pieces)), scope, names, rest)
        else:
            out.append(str(_value(piece, scope, names)))
    return out, ""


def _choose(pieces: Iterator[tuple[str, str]], scope: dict[str, Any], names: dict[str, Any], test: str) -> list[str]:
    wanted = bool(_value(test.removeprefix("not "), scope, names)) is not test.startswith("not ")
    first, closed = _run(pieces, scope, names)
    second = _run(pieces, scope, names)[0] if closed == "else" else []
    return first if wanted else second


def _block(pieces: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for piece in pieces:
        if piece == ("tag", "end"):
            return
        yield piece


def _repeat(block: list[tuple[str, str]], scope: dict[str, Any], names: dict[str, Any], rest: str) -> list[str]:
    key, value, source = re.fullmatch(r"(\$\w+), (\$\w+) := (\S+)", rest).groups()  # type: ignore[union-attr]
    items = _value(source, scope, names).items()
    return [text for k, v in items for text in _run(iter(block), scope, {**names, key: k, value: v})[0]]


def _value(expression: str, scope: dict[str, Any], names: dict[str, Any]) -> Any:
    first, *filters = (part.strip() for part in expression.split("|"))
    atoms = [_atom(atom, scope, names) for atom in _ATOM.findall(first)]
    value = atoms[0] if len(atoms) == 1 else _printf(first, atoms)
    for name in filters:
        value = _FILTERS[name](value)
    return value


def _printf(expression: str, atoms: list[Any]) -> str:
    if not expression.startswith("printf "):
        raise ValueError(expression)
    return str(atoms[1]) % tuple(atoms[2:])


def _atom(atom: str, scope: dict[str, Any], names: dict[str, Any]) -> Any:
    if atom.startswith('"'):
        return json.loads(atom)
    if atom.startswith("$"):
        return names[atom]
    if not atom.startswith("."):
        return atom
    found: Any = scope
    for part in atom[1:].split("."):
        found = found[part]
    return found
