"""The alert rules, the Grafana dashboard and the page about metrics speak of metrics that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from consent_service.api.metric_families import FAMILIES, Family

ROOT = Path(__file__).parents[2]
ALERTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text("utf-8"))["groups"][0][
    "rules"
]
GRAFANA: dict[str, Any] = json.loads((ROOT / "deploy/grafana/consent-service.json").read_text("utf-8"))
PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
OF_THE_SCRAPER = frozenset({"job", "instance", "le"})
NOT_OURS = frozenset({"up", "process_resident_memory_bytes"})


def series(family: Family) -> Iterator[str]:
    """Give the names under which a metric's numbers are found."""
    yield from (family.name + end for end in (("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)))


SERIES = {name: family for family in FAMILIES for name in series(family)}


def panels() -> Iterator[str]:
    """Go through the expressions of the dashboard."""
    yield from (target["expr"] for panel in GRAFANA["panels"] for target in panel["targets"])


EXPRESSIONS = [*(rule["expr"] for rule in ALERTS), *panels()]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_there_are(expression: str) -> None:
    named = re.findall(r"\b(consent_\w+|process_\w+|up)\b(?:\{([^}]*)\})?", expression)
    wrong = [
        f"{name}{{{label}}}"
        for name, matchers in named
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)
        if label not in OF_THE_SCRAPER and (name not in SERIES or label not in SERIES[name].labels)
    ]
    assert named
    assert {name for name, _ in named} - SERIES.keys() - NOT_OURS == set()
    assert wrong == []


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_groups_by_labels_that_its_metrics_have(expression: str) -> None:
    families = [SERIES[name] for name in re.findall(r"\b(consent_\w+)\b", expression)]
    grouped = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(",")}
    known = OF_THE_SCRAPER.union(*(family.labels for family in families))
    assert grouped <= known
    assert expression.count("(") == expression.count(")")


def test_every_alert_is_explained_to_whom_it_wakes() -> None:
    assert re.findall(r"^\| `(Consent\w+)` \|", PAGE, re.MULTILINE) == [rule["alert"] for rule in ALERTS]
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in ALERTS)


def test_every_metric_stands_in_the_table_as_the_code_has_it() -> None:
    rows = re.findall(r"^\| `(consent_\w+)` \| (\w+) \| (.*?) \| (.+) \|$", PAGE, re.MULTILINE)
    labels = [", ".join(f"`{label}`" for label in family.labels) for family in FAMILIES]
    assert rows == [(f.name, f.kind, named, f.help) for f, named in zip(FAMILIES, labels, strict=True)]


def test_every_metric_is_watched_by_the_dashboard_or_an_alert() -> None:
    text = " ".join(EXPRESSIONS)
    unwatched = [family.name for family in FAMILIES if not any(name in text for name in series(family))]
    assert unwatched == ["consent_draining", "consent_policy_versions"]


def test_no_two_panels_lie_on_each_other() -> None:
    cells = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in GRAFANA["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert {x for x, _ in cells} == set(range(24))
