"""A shop brings its cookie list; every row is answered for, and nothing is allowed on the list's word."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_service.domain.errors import InvalidInput, PolicyInvalid
from consent_service.domain.policy_document import read_policy
from consent_service.service.cookie_lists import Draft, ReportLine, RowAction, draft, draft_document, merge, summary
from consent_service.service.cookie_lists.table import COLUMNS, NAME

ROOT = Path(__file__).parents[2]
REAL_LIST = ROOT.parent / "shared" / "data" / "open-cookie-database.csv"
needs_real_list = pytest.mark.skipif(
    not REAL_LIST.exists(), reason="the open cookie database is not beside the repository; its rows were left out"
)
ORDINARY = {
    "ID": "1",
    "Platform": "Shop platform",
    "Category": "Analytics",
    NAME: "visits",
    "Domain": "",
    "Description": "Counts how often the shop is opened.",
    "Retention period": "1 year",
    "Data Controller": "Counting House",
    "User Privacy & GDPR Rights Portals": "https://counting.example/privacy",
    "Wildcard match": "0",
}


def as_csv(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows below the header, as a spreadsheet would."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *rows])
    return list(io.StringIO(text.getvalue(), newline=""))


def drafted(*changes: dict[str, str]) -> Draft:
    """Draft a list of ordinary rows, each with its changes."""
    return draft(as_csv([list((ORDINARY | change).values()) for change in changes]))


def sample() -> dict[str, object]:
    """Load the sample policy."""
    document: dict[str, object] = yaml.safe_load((ROOT / "policies" / "storefront.yaml").read_text(encoding="utf-8"))
    return document


def real_list() -> list[str]:
    """Read the open cookie database's lines."""
    with REAL_LIST.open(encoding="utf-8", newline="") as file:
        return list(file)


def only(report: tuple[ReportLine, ...]) -> ReportLine:
    """Give the single line of a report."""
    (line,) = report
    return line


def test_an_ordinary_row_becomes_a_tracker_that_needs_consent() -> None:
    result = drafted({})
    assert result.trackers == (
        {
            "name": "visits",
            "kind": "cookie",
            "category": "analytical_performance",
            "provider": "counting_house",
            "duration": "P1Y",
            "purpose": {"en": "Counts how often the shop is opened."},
            "domain": "",
            "path": "/",
            "third_party": False,
            "sells_or_shares": False,
            "cross_border": True,
            "http_only": False,
            "scope": "individual",
        },
    )
    assert result.providers["counting_house"]["privacy_policy"] == "https://counting.example/privacy"
    assert only(result.report).text() == "row 1 (line 2) visits: added"


@pytest.mark.parametrize(
    ("category", "description", "domain", "expected", "action"),
    [
        ("Marketing", "Chooses what you see.", "", "advertising", RowAction.ADDED),
        ("Marketing", "Draws the share button.", "", "advertising", RowAction.NEEDS_PERSON),
        ("Personalization", "Keeps the sidebar open.", "", "personalization", RowAction.ADDED),
        ("Necessary", "Keeps the shop open.", "", "strictly_necessary", RowAction.ADDED),
        ("Necessary", "Keeps the shop open.", "other.example (3rd party)", "technical", RowAction.NEEDS_PERSON),
        ("Necessary", "Holds your log-in.", "", "technical", RowAction.NEEDS_PERSON),
        ("Security", "Stops forged forms.", "", "technical", RowAction.NEEDS_PERSON),
        ("Security", "Follows clicks on our ads.", "", "advertising", RowAction.NEEDS_PERSON),
        ("Functional", "Does something.", "", "functionality", RowAction.NEEDS_PERSON),
        ("Functional", "Keeps your language.", "", "personalization", RowAction.NEEDS_PERSON),
        ("Functional", "Feeds our statistics.", "", "analytical_performance", RowAction.NEEDS_PERSON),
        ("Whatever", "Does something.", "", "advertising", RowAction.NEEDS_PERSON),
    ],
)
def test_where_the_category_is_in_doubt_the_most_protective_is_entered_and_a_person_is_asked(
    category: str, description: str, domain: str, expected: str, action: RowAction
) -> None:
    result = drafted({"Category": category, "Description": description, "Domain": domain})
    assert result.trackers[0]["category"] == expected
    assert only(result.report).action is action


def test_local_storage_is_no_cookie() -> None:
    assert drafted({"Retention period": "Local Storage"}).trackers[0]["kind"] == "local_storage"


def test_a_wildcard_row_matches_the_rest_of_the_name() -> None:
    assert drafted({NAME: "visits_", "Wildcard match": "1"}).trackers[0]["name"] == "visits_*"


def test_a_third_party_is_told_from_the_shop_for_each_domain_a_row_names() -> None:
    result = drafted({"Domain": " .Ads.example (3rd party) or "})
    places = [(t["domain"], t["third_party"]) for t in result.trackers]
    assert places == [("ads.example", True), ("", False)]
    assert only(result.report).entries == (0, 1)


def test_repeated_rows_are_merged_and_what_differs_is_said() -> None:
    result = drafted({}, {}, {"Retention period": "2 years"}, {"Data Controller": "Another House"})
    actions = [line.action for line in result.report]
    assert actions == [RowAction.ADDED, RowAction.MERGED, RowAction.NEEDS_PERSON, RowAction.ADDED]
    assert "duration" in result.report[2].review[0]
    assert "the provider is another" in result.report[3].notes[0]
    assert len(result.trackers) == 2


@pytest.mark.parametrize(
    ("change", "action", "said"),
    [
        ({NAME: "  "}, RowAction.SKIPPED, "no name"),
        ({NAME: "*"}, RowAction.SKIPPED, "every name"),
        ({NAME: "", "Wildcard match": "1"}, RowAction.SKIPPED, "no name"),
        ({NAME: "a*b"}, RowAction.SKIPPED, "at the end"),
        ({NAME: "n" * 300}, RowAction.SKIPPED, "300 characters"),
        ({"Domain": "d" * 300}, RowAction.SKIPPED, "300 characters"),
        ({NAME: "=cmd()"}, RowAction.NEEDS_PERSON, "no cookie can have this name"),
        ({"Description": "=1+1"}, RowAction.ADDED, "formula"),
        ({"Description": "z" * 20_000}, RowAction.NEEDS_PERSON, "cut to"),
        ({"Description": "Besuche z\u00c3\u00a4hlen"}, RowAction.NEEDS_PERSON, "wrong encoding"),
        ({"Description": ""}, RowAction.NEEDS_PERSON, "nothing about the purpose"),
        ({NAME: "vis\u00adits"}, RowAction.NEEDS_PERSON, "invisible"),
        ({NAME: "visits_NNN"}, RowAction.NEEDS_PERSON, "placeholder"),
        ({NAME: "v", "Wildcard match": "1"}, RowAction.NEEDS_PERSON, "short a pattern"),
        ({"Wildcard match": "yes"}, RowAction.NEEDS_PERSON, "neither 0 nor 1"),
        ({"Domain": "[any].ads.example"}, RowAction.NEEDS_PERSON, "domain"),
        ({"Data Controller": "", "Platform": ""}, RowAction.NEEDS_PERSON, "no provider"),
        ({"User Privacy & GDPR Rights Portals": "ask us"}, RowAction.NEEDS_PERSON, "address"),
    ],
)
def test_a_bad_cell_is_a_finding_of_its_row(change: dict[str, str], action: RowAction, said: str) -> None:
    line = only(drafted(change).report)
    assert line.action is action
    assert said in line.text()


@pytest.mark.parametrize("end", ["", 'closed at last"\n', 'closed"too late\n'])
def test_a_ragged_row_or_an_open_quote_does_not_swallow_the_rows_below(end: str) -> None:
    good = as_csv([list(ORDINARY.values())])[1]
    lines = [
        *as_csv([]),
        "1,too,few\n",
        '2,Shop,Analytics,"never closed\n',
        "\n",
        good,
        good.replace("visits", "later"),
    ]
    report = draft([*lines, end]).report
    assert [line.line for line in report if line.action is RowAction.ADDED] == [5, 6]
    assert [line.line for line in report[:2] if line.action is RowAction.SKIPPED] == [2, 3]


def test_a_cell_may_go_over_several_lines() -> None:
    result = drafted({"Description": "Counts\r\nvisits"}, {NAME: "second"})
    assert [t["name"] for t in result.trackers] == ["visits", "second"]
    assert [line.line for line in result.report] == [2, 4]


@pytest.mark.parametrize(
    ("lines", "missing"),
    [([], 10), (["ID,Platform\n"], 8), ([",".join([*COLUMNS, "Domain"])], 1)],
)
def test_a_wrong_header_is_one_clear_error(lines: list[str], missing: int) -> None:
    with pytest.raises(InvalidInput, match="header") as refused:
        draft(lines)
    assert len(refused.value.missing) == missing


def test_a_byte_order_mark_and_other_columns_do_no_harm() -> None:
    lines = ["\ufeff" + ",".join(["Remark", *COLUMNS]), ",".join(["seen", *ORDINARY.values()])]
    assert only(draft(lines).report).action is RowAction.ADDED


def test_a_drafted_policy_cannot_be_published_before_a_person_has_filled_it_in() -> None:
    document = draft_document(drafted({}, {NAME: "other", "Category": "Functional"}))
    with pytest.raises(PolicyInvalid) as refused:
        read_policy(document)
    pointers = {fault.pointer for fault in refused.value.faults}
    assert {"/version", "/origins/0", "/urls/privacy_policy", "/child_directed", "/trackers/1/review"} <= pointers
    assert "/trackers/0/review" not in pointers


def test_an_import_adds_what_is_new_and_leaves_what_the_policy_says() -> None:
    before = sample()
    google = {"Data Controller": "Google", "User Privacy & GDPR Rights Portals": ""}
    result = merge(
        before, drafted({}, google | {NAME: "_ga"}, google | {NAME: "_gat_shop", "Retention period": "1 day"})
    )
    policy = read_policy(result.document)
    assert before == sample()
    assert [tracker.name for tracker in policy.trackers[len(sample_trackers()) :]] == ["visits"]
    assert set(policy.trackers[-1].purpose) == {"en", "de", "fr", "es", "zh-Hans"}
    assert [line.action for line in result.report] == [RowAction.ADDED, RowAction.MERGED, RowAction.MERGED]
    assert "the document's duration stays (PT1M; the list says P1D)" in result.report[2].notes


def sample_trackers() -> list[object]:
    """Give the sample policy's trackers."""
    trackers = sample()["trackers"]
    assert isinstance(trackers, list)
    return trackers


def test_the_shop_s_own_domain_is_no_third_party() -> None:
    policy = read_policy(merge(sample(), drafted({"Domain": "shop.example"})).document)
    assert not policy.trackers[-1].third_party


def test_a_provider_of_the_list_never_takes_the_shop_s_place() -> None:
    result = merge(sample(), drafted({"Data Controller": "Shop"}))
    assert read_policy(result.document).trackers[-1].provider == "shop_2"


@pytest.mark.parametrize("broken", [{"trackers": {}}, {"trackers": [1]}, {"providers": []}, {"languages": {}}])
def test_an_import_into_something_that_is_no_policy_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="policy document"):
        merge(sample() | broken, drafted({}))


@needs_real_list
def test_the_open_cookie_database_is_read_whole() -> None:
    result = draft(real_list())
    assert [line.row for line in result.report] == list(range(1, 2_265))
    assert summary(result.report)[RowAction.SKIPPED] == 0
    assert all(line.entries for line in result.report)


@needs_real_list
def test_importing_the_open_cookie_database_gives_a_valid_policy_and_importing_it_twice_adds_nothing() -> None:
    entries = draft(real_list())
    once = merge(sample(), entries)
    twice = merge(once.document, entries)
    assert len(read_policy(once.document).trackers) > 2_200
    assert len(once.report) == 2_264
    assert twice.document == once.document
    assert {line.action for line in twice.report} <= {RowAction.MERGED, RowAction.NEEDS_PERSON}


@given(st.text() | st.lists(st.text()))
def test_no_text_at_all_raises_anything_but_the_one_error(lines: str | list[str]) -> None:
    with pytest.raises(InvalidInput):
        draft(lines)


@given(st.lists(st.text(alphabet=st.characters() | st.sampled_from(',"\r\n*=1'))))
def test_rows_of_any_text_are_numbered_without_a_gap(lines: list[str]) -> None:
    report = draft([*as_csv([]), *lines]).report
    assert [line.row for line in report] == list(range(1, len(report) + 1))


SMALL = sample() | {"trackers": sample_trackers()[:3]}
CELLS = st.text(max_size=30) | st.sampled_from(
    ["Functional", "Marketing", "1 year", "1", "0", "x.example (3rd party)", "_a"]
)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=6))
def test_every_row_has_one_line_in_the_report_and_whatever_is_imported_makes_a_valid_policy(
    rows: list[list[str]],
) -> None:
    entries = draft(as_csv(rows))
    result = merge(SMALL, entries)
    assert len(entries.report) == len(result.report) == len(rows)
    assert [not line.entries for line in entries.report] == [
        line.action is RowAction.SKIPPED for line in entries.report
    ]
    assert draft(as_csv(rows)) == entries
    assert len(read_policy(result.document).trackers) >= 3
