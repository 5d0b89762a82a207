"""Tags that cannot be broken out of, and the audit's figures."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from consent_client.audit import Audit
from consent_client.html import Markup, pixel_tag, script_tag


def test_a_script_tag_carries_nonce_and_attributes() -> None:
    tag = script_tag("https://t.example/a.js?x=1&y=2", "n0nce", {"async_": True, "data_id": "G-1", "defer": False})
    assert tag == '<script src="https://t.example/a.js?x=1&amp;y=2" nonce="n0nce" async data-id="G-1"></script>'


def test_a_pixel_says_nothing_to_a_screen_reader() -> None:
    assert pixel_tag("/p.gif", {"width": "2"}) == '<img src="/p.gif" alt="" width="2" height="1">'


def test_templates_do_not_escape_a_tag_again() -> None:
    page = Environment(autoescape=True).from_string("{{ tag }}{{ text }}")
    assert page.render(tag=Markup("<b>"), text="<i>") == "<b>&lt;i&gt;"


@given(st.text(alphabet="\"'<>&/ =abc\n", max_size=30))
def test_no_value_breaks_out_of_its_tag(text: str) -> None:
    tag = script_tag("/a.js", text, {"title": text})
    assert tag.count("<") == tag.count(">") == 2
    assert tag.count('"') == 6


@pytest.mark.parametrize("src", ["javascript:alert(1)", "data:text/html,x", " JavaScript:x", "vbscript:x"])
def test_only_web_addresses_are_loaded(src: str) -> None:
    with pytest.raises(ValueError, match="address"):
        script_tag(src, None, {})


@pytest.mark.parametrize("name", ["on click", "x=1", "", "><script>", "1a"])
def test_only_names_of_attributes_are_attributes(name: str) -> None:
    with pytest.raises(ValueError, match="attribute"):
        pixel_tag("/p.gif", {name: "x"})


def test_the_audit_counts_by_tracker_and_logs_the_first_and_every_thousandth(caplog: pytest.LogCaptureFixture) -> None:
    audit = Audit()
    with caplog.at_level(logging.WARNING, "consent_client.audit"):
        for _ in range(1001):
            audit.count("removed", "_ga", "refused")
    audit.count("would_remove", "odd", "unregistered")
    assert audit.total("removed") == 1001
    assert audit.unregistered() == ["odd"]
    assert [record.getMessage() for record in caplog.records if "_ga" in record.getMessage()] == [
        "consent audit: outcome=removed tracker='_ga' reason=refused count=1",
        "consent audit: outcome=removed tracker='_ga' reason=refused count=1001",
    ]


def test_the_audit_keeps_a_bounded_number_of_names() -> None:
    audit = Audit()
    for number in range(5000):
        audit.count("removed", f"name{number}", "unregistered")
    assert len(audit.counts()) == 201
    assert audit.counts()["removed", "(other)", "unregistered"] == 4800


def test_the_audit_speaks_prometheus() -> None:
    audit = Audit()
    audit.count("removed", 'a"b\\c\n', "unregistered")
    assert audit.prometheus().splitlines()[-1] == (
        'consent_audit_total{outcome="removed",tracker="a\\"b\\\\c\\n",reason="unregistered"} 1'
    )


def test_a_name_cannot_forge_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    Audit().count("removed", "a\nWARNING forged", "unregistered")
    assert "\n" not in caplog.records[-1].getMessage()
