"""`policy validate | show | diff | regimes`: what an author sees at a terminal."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consent_service.cli import root
from consent_service.domain.regions import REGION_RULES
from tests.support.builders import Document, document, entry


def command(*words: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(root.cli, words)


def written(path: Path, **members: object) -> str:
    """Write the shop's policy to a file, some members replaced; gives its path."""
    path.write_text(json.dumps(document(**members)), "utf-8")
    return str(path)


def test_every_row_of_the_region_table_is_shown_with_its_source_and_date() -> None:
    """REG-01: and what holds where no row speaks."""
    shown = command("policy", "regimes")
    rows = [line for rule in REGION_RULES for line in shown.output.splitlines() if line.startswith(f"{rule.region} ")]

    assert shown.exit_code == 0
    assert len(rows) == len(REGION_RULES)
    assert [rule.region for rule, row in zip(REGION_RULES, rows, strict=True) if rule.source not in row] == []
    assert [rule.region for rule, row in zip(REGION_RULES, rows, strict=True) if str(rule.effective) not in row] == []
    assert "\nany other region, and an unknown one: opt_in\nage of consent 13: BE, DK," in shown.output
    assert "\nage of consent 16: any other region\nsource of the ages: GDPR Art. 8(1)" in shown.output


def test_a_valid_policy_is_said_to_be_one(tmp_path: Path) -> None:
    file = written(tmp_path / "policy.json")
    checked, shown = command("policy", "validate", file), command("policy", "show", file)

    assert (checked.exit_code, checked.output) == (0, f"{file}: valid; site default, version v1, 18 trackers\n")
    assert "DNT respect, GPC honor" in shown.output
    assert "  _fbp, own_ads, ad_pixel, mail_open_individual, mail_open_rate\n" in shown.output


def test_every_fault_is_named_with_its_place_and_rule(tmp_path: Path) -> None:
    """CON-04, CON-22, TRK-06: a policy that would break a rule is refused, with status 1 and no traceback."""
    smuggled = entry("x", "web_pixel", "strictly_necessary", provider="nobody", third_party=True)
    file = written(tmp_path / "policy.json", banner={"first_layer": ["accept_all", "customize"]}, trackers=[smuggled])
    refused = command("policy", "validate", file)

    assert refused.exit_code == 1
    assert {line.rpartition(" ")[2] for line in refused.output.splitlines()[:4]} == {
        "[CON-22]", "[CON-04]", "[provider-undefined]",
    }  # fmt: skip
    assert "/banner/first_layer: " in refused.output
    assert "Traceback" not in refused.output


@pytest.mark.parametrize("text", ["", "[", "a: b: c", "- 1", "\x00", "{'a': 1, 'a': 2}"])
def test_what_is_no_policy_is_refused_with_one_clear_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text, "utf-8")
    refused = command("policy", "validate", str(file))

    assert (refused.exit_code, "Error: The policy" in refused.output) == (1, True)


NEWER: list[tuple[Document, list[str]]] = [
    ({"version": "v2"}, ["no difference in substance"]),
    (
        {"trackers": [*document()["trackers"], entry("new", "cookie", "advertising", provider="ads")]},
        ["+ tracker new: added -> advertising"],
    ),
    ({"trackers": document()["trackers"][1:]}, ["  tracker session: removed"]),
    ({"signals": {"dnt": "record"}}, ["  signals: weaker: dnt respect becomes record"]),
    ({"lifetimes": {"default": "P6M"}}, ["  region US-CA: choices hold P6M, not P12M"]),
    ({"cross_device": True}, ["  cross_device: it turned on"]),
    ({"cookie_cap": "P30D"}, ["  cookie_cap: P30D, not P400D"]),
    ({"outputs": {"gpp": True}}, ["  outputs: gpp turned on"]),
]


@pytest.mark.parametrize(("members", "lines"), NEWER)
def test_a_difference_says_what_goes_further_and_whom_it_asks_again(
    tmp_path: Path, members: Document, lines: list[str]
) -> None:
    """CON-11: presentation is no difference; `+` asks those again whose grant no longer covers it."""
    old, new = written(tmp_path / "old.json"), written(tmp_path / "new.json", **members)
    shown = command("policy", "diff", old, new)

    assert (shown.exit_code, shown.output.splitlines()) == (0, lines)
