"""The GPP string against the specification and the reference library (rules.md §6.5)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.outputs.gpp.bits import BitReader, text_of
from consent_service.domain.outputs.gpp.codec import decode, encode
from consent_service.domain.outputs.gpp.errors import GppError
from consent_service.domain.outputs.gpp.fibonacci import fibonacci_bits, read_fibonacci
from consent_service.domain.outputs.gpp.header import decode_header, encode_header
from consent_service.domain.outputs.gpp.usca import UsCa, encode_usca
from consent_service.domain.outputs.gpp.usnat import UsNat, encode_usnat
from consent_service.domain.outputs.gpp.uspv1 import UsPrivacy

TC_STRING = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
HEADERS = [
    ((), None, "DBAA"),
    ((2,), "DBABM", "DBABMA"),
    ((2, 6), "DBACNY", "DBACNYA"),
    ((5, 6), "DBABjw", "DBABjw"),
    ((6,), "DBABT", "DBABTA"),
    ((7,), "DBABL", "DBABLA"),
    ((8,), "DBABBg", "DBABBg"),
]
ANSWER = st.integers(0, 2)


def answers(count: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[ANSWER] * count)


@pytest.mark.parametrize(
    ("number", "code"), [(1, "11"), (2, "011"), (3, "0011"), (4, "1011"), (5, "00011"), (6, "10011"), (7, "01011")]
)
def test_fibonacci_codes_are_those_of_the_specification(number: int, code: str) -> None:
    """OUT-07."""
    assert fibonacci_bits(number) == code


@given(number=st.integers(1, 50_000))
def test_every_number_comes_back_from_its_fibonacci_code(number: int) -> None:
    """OUT-07."""
    code = fibonacci_bits(number)
    assert code.endswith("11")
    assert code.count("11") == 1
    assert read_fibonacci(BitReader(text_of(code), 0)) == number


@pytest.mark.parametrize("number", [0, -1, 10**6])
def test_a_number_without_a_code_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="Fibonacci"):
        fibonacci_bits(number)


@pytest.mark.parametrize(("ids", "_spec", "library"), HEADERS)
def test_headers_are_written_as_the_reference_library_writes_them(
    ids: tuple[int, ...], _spec: str | None, library: str
) -> None:
    """OUT-07."""
    assert encode_header(ids) == library


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        *[(library, ids) for ids, _, library in HEADERS],
        *[(spec, ids) for ids, spec, _ in HEADERS if spec is not None],
        ("DBABMAAA", (2,)),
    ],
)
def test_headers_are_read_in_every_padding(text: str, ids: tuple[int, ...]) -> None:
    """OUT-07: padded to 6 bits, to 8, and to 24 as older writers do."""
    assert decode_header(text, len(ids)) == ids


@given(ids=st.sets(st.integers(1, 200)))
def test_every_set_of_sections_comes_back_from_its_header(ids: set[int]) -> None:
    """OUT-07."""
    assert decode_header(encode_header(ids), len(ids)) == tuple(sorted(ids))


@pytest.mark.parametrize("header", ["DBABM", "DBABMA"])
def test_a_tc_string_is_kept_as_it_stands(header: str) -> None:
    """OUT-07."""
    (section,) = decode(f"{header}~{TC_STRING}")
    assert (section.id, section.name, section.text, section.content) == (2, "tcfeuv2", TC_STRING, None)


@pytest.mark.parametrize("header", ["DBACNY", "DBACNYA"])
def test_a_tc_string_and_a_us_privacy_string_stand_side_by_side(header: str) -> None:
    """OUT-07."""
    first, second = decode(f"{header}~{TC_STRING}~1YNN")
    assert (first.text, second.name) == (TC_STRING, "uspv1")
    assert second.content == UsPrivacy(notice=True, sale_opt_out=False, lspa_covered=False)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("1YNN", UsPrivacy(notice=True, sale_opt_out=False, lspa_covered=False)),
        ("1YYN", UsPrivacy(notice=True, sale_opt_out=True, lspa_covered=False)),
        ("1---", UsPrivacy(notice=None, sale_opt_out=None, lspa_covered=None)),
        ("1ynn", UsPrivacy(notice=True, sale_opt_out=False, lspa_covered=False)),
    ],
)
def test_the_us_privacy_string_is_read(text: str, content: UsPrivacy) -> None:
    """OUT-07."""
    assert decode(f"DBABTA~{text}")[0].content == content


@pytest.mark.parametrize("header", ["DBABL", "DBABLA"])
@pytest.mark.parametrize(("gpc", "expected"), [("", None), (".Q", False), (".QA", False), (".Y", True), (".YA", True)])
def test_the_national_section_is_read_in_either_padding(header: str, gpc: str, expected: bool | None) -> None:
    """OUT-07."""
    assert decode(f"{header}~CAAAAAAAAABA{gpc}")[0].content == UsNat(gpc=expected)


def test_the_national_section_is_written_as_the_library_writes_it() -> None:
    """OUT-07."""
    assert encode({7: encode_usnat(UsNat(gpc=False))}) == "DBABLA~CAAAAAAAAABA.QA"
    assert encode({7: encode_usnat(UsNat(gpc=True))}) == "DBABLA~CAAAAAAAAABA.YA"


def test_the_californian_section_is_written_and_read_as_the_library_does() -> None:
    """OUT-07."""
    assert encode({8: encode_usca(UsCa(gpc=False))}) == "DBABBg~BAAAAABA.QA"
    assert decode("DBABBg~BAAAAABA.QA")[0].content == UsCa(gpc=False)


@pytest.mark.parametrize("text", ["BAAAAAAAAQ", "BAAAAAAAAQA"])
def test_version_1_of_the_national_section_has_shorter_lists(text: str) -> None:
    """OUT-07."""
    expected = UsNat(version=1, sensitive_data_processing=(0,) * 12, known_child_sensitive_data_consents=(0, 0))
    assert decode(f"DBABLA~{text}")[0].content == expected


def test_sections_are_joined_in_the_order_of_their_ids() -> None:
    """OUT-07."""
    assert encode({6: "1YNN", 2: TC_STRING}) == f"DBACNYA~{TC_STRING}~1YNN"


def test_a_section_nobody_knows_keeps_its_text() -> None:
    """OUT-07."""
    (section,) = decode(encode({99: "whatever.it-says"}))
    assert (section.id, section.name, section.text, section.content) == (99, None, "whatever.it-says", None)


@given(
    nine=answers(9),
    sensitive=answers(16),
    brackets=answers(3),
    four=answers(4),
    gpc=st.sampled_from([None, False, True]),
)
def test_every_national_section_comes_back(
    nine: tuple[int, ...],
    sensitive: tuple[int, ...],
    brackets: tuple[int, ...],
    four: tuple[int, ...],
    gpc: bool | None,
) -> None:
    """OUT-07."""
    names = [
        "sharing_notice",
        "sale_opt_out_notice",
        "sharing_opt_out_notice",
        "targeted_advertising_opt_out_notice",
        "sensitive_data_processing_opt_out_notice",
        "sensitive_data_limit_use_notice",
        "sale_opt_out",
        "sharing_opt_out",
        "targeted_advertising_opt_out",
        "personal_data_consents",
        "mspa_covered_transaction",
        "mspa_opt_out_option_mode",
        "mspa_service_provider_mode",
    ]
    values: dict[str, Any] = dict(zip(names, nine + four, strict=True))
    section = UsNat(
        **values, sensitive_data_processing=sensitive, known_child_sensitive_data_consents=brackets, gpc=gpc
    )
    assert decode(encode({7: encode_usnat(section)}))[0].content == section


@given(
    five=answers(5), sensitive=answers(9), child=answers(2), four=answers(4), gpc=st.sampled_from([None, False, True])
)
def test_every_californian_section_comes_back(
    five: tuple[int, ...], sensitive: tuple[int, ...], child: tuple[int, ...], four: tuple[int, ...], gpc: bool | None
) -> None:
    """OUT-07."""
    names = [
        "sale_opt_out_notice",
        "sharing_opt_out_notice",
        "sensitive_data_limit_use_notice",
        "sale_opt_out",
        "sharing_opt_out",
        "personal_data_consents",
        "mspa_covered_transaction",
        "mspa_opt_out_option_mode",
        "mspa_service_provider_mode",
    ]
    values: dict[str, Any] = dict(zip(names, five + four, strict=True))
    section = UsCa(**values, sensitive_data_processing=sensitive, known_child_sensitive_data_consents=child, gpc=gpc)
    assert decode(encode({8: encode_usca(section)}))[0].content == section


@pytest.mark.parametrize("answer", [-1, 4])
def test_a_field_that_does_not_fit_is_never_written(answer: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode_usca(UsCa(sale_opt_out=answer))


@pytest.mark.parametrize(
    ("text", "position", "why"),
    [
        pytest.param("", 0, "more characters", id="nothing"),
        pytest.param("z", 0, "header", id="no header"),
        pytest.param("D", 1, "more characters", id="half a header"),
        pytest.param("DCAA", 1, "version 1", id="another version of the header"),
        pytest.param("DBA=", 3, "base64url", id="base64 padding"),
        pytest.param("DBAB", 4, "more characters", id="a header that stops early"),
        pytest.param("DBAAB", 4, "padding", id="bits after the header"),
        pytest.param("DBAAAAAAAA", 4, "padding", id="a long tail"),
        pytest.param("DBACOeA~~1YNN", 4, "more than the 2 section", id="more ids than sections"),
        pytest.param("DBABLA", 4, "more than the 0 section", id="no section at all"),
        pytest.param("DBABLA~", 7, "a section is expected", id="an empty section"),
        pytest.param("DBABLA~CAAAAAAAAABA.QA~1YNN", 23, "fewer sections", id="a section too many"),
        pytest.param("DBABLA~DAAAAAAAAABA", 7, "version", id="a later version of usnat"),
        pytest.param("DBABLA~CAAAAAA", 14, "more characters", id="half a section"),
        pytest.param("DBABLA~CAAAAAAAAADA", 17, "holds 3", id="a value that no field may hold"),
        pytest.param("DBABLA~CAAAAAAAAABB", 18, "padding", id="bits after the section"),
        pytest.param("DBABLA~CAA AAAAAABA", 10, "base64url", id="a space"),
        pytest.param("DBABLA~CAAAAAAAAABA.", 20, "more characters", id="an empty sub-section"),
        pytest.param("DBABLA~CAAAAAAAAABA.gA", 20, "GPC", id="a sub-section nobody knows"),
        pytest.param("DBABLA~CAAAAAAAAABA.QA.QA", 22, "base64url", id="a third sub-section"),
        pytest.param("DBABBg~CAAAAABA", 7, "version", id="another version of usca"),
        pytest.param("DBABTA~2YNN", 7, "version 1", id="another US Privacy version"),
        pytest.param("DBABTA~1YXN", 9, "Y, N or -", id="no answer of the US Privacy string"),
        pytest.param("DBABTA~1YN", 10, "four characters", id="a short US Privacy string"),
        pytest.param("DBABTA~1YNNN", 11, "four characters", id="a long US Privacy string"),
        pytest.param("DBAB\N{KELVIN SIGN}", 4, "base64url", id="a character that folds to a letter"),
        pytest.param("DBABAAAAAAAA", 4, "Fibonacci", id="a code without an end"),
    ],
)
def test_a_malformed_string_is_refused_at_its_position(text: str, position: int, why: str) -> None:
    """OUT-09."""
    with pytest.raises(GppError, match=why) as caught:
        decode(text)
    assert caught.value.position == position
    assert caught.value.detail.startswith(f"At character {position} ")


def outcome(text: str) -> int:
    """Read a string: the count of its sections, or the position of its fault as a negative number."""
    try:
        return len(decode(text))
    except GppError as error:
        return -1 - error.position


@given(text=st.text())
def test_no_text_whatever_leads_to_another_error(text: str) -> None:
    """OUT-09."""
    assert -1 - len(text) <= outcome(text) <= text.count("~")


@given(text=st.from_regex(r"(DB[A-Za-z0-9_-]{0,8})(~([A-Za-z0-9_.-]{0,20})){0,4}", fullmatch=True))
def test_no_text_that_looks_like_gpp_leads_to_another_error(text: str) -> None:
    """OUT-09."""
    assert -1 - len(text) <= outcome(text) <= text.count("~")


@given(
    text=st.sampled_from([f"DBACNYA~{TC_STRING}~1YNN", "DBABLA~CAAAAAAAAABA.YA", "DBABBg~BAAAAABA.QA"]),
    place=st.integers(0, 60),
    cut=st.integers(0, 3),
    put=st.text("ABMQYg_-.~= \x00", max_size=3),
)
def test_no_damage_to_a_good_string_leads_to_another_error(text: str, place: int, cut: int, put: str) -> None:
    """OUT-09."""
    damaged = text[:place] + put + text[place + cut :]
    assert -1 - len(damaged) <= outcome(damaged) <= damaged.count("~")


def test_a_header_that_claims_a_million_sections_is_refused_before_they_are_counted_out() -> None:
    """OUT-09."""
    run = "000011" + "000001" + "000000000001" + "1" + fibonacci_bits(1) + fibonacci_bits(75_024)
    with pytest.raises(GppError, match="more than the 1 section"):
        decode_header(text_of(run), 1)
