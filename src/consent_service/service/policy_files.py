"""Reads a policy document from YAML or JSON text without the surprises of YAML 1.1.

`NO` stays Norway and `2026-11-22` stays a text; a name that occurs twice is an error, as in the HTTP API.
"""

import re
from typing import Any

import yaml

from consent_service.domain.errors import Fault, PolicyInvalid


class _Loader(yaml.SafeLoader):
    """The safe loader with the scalars of JSON only, and no name twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse an object that names a member twice, where the second would silently win."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(problem="a member is named twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


_KEPT = {"int", "float", "null", "merge"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in _KEPT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), ["t", "f"])


def load_document(text: str) -> object:
    """Load one document; raises PolicyInvalid that names line and column where it cannot be read."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # nosec B506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise PolicyInvalid(
            "The policy is no YAML or JSON.", (Fault("", "malformed", place + str(error.problem)),)
        ) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise PolicyInvalid("The policy is no YAML or JSON.", (Fault("", "malformed", "it cannot be read"),)) from None
