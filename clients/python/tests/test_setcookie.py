"""Cookies on the wire, as browsers read them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_client.setcookie import expiring_lines, parse_cookies, parse_set_cookie

NOW = time.mktime((2026, 6, 1, 0, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("a=b", "a"),
        ("  a \t= b", "a"),
        ("a=b=c; Path=/", "a"),
        ("=value", ""),
        ("nameless", ""),
        ("", ""),
        ("__Host-x=1; Secure", "__Host-x"),
    ],
)
def test_the_name_is_what_a_browser_would_take(line: str, name: str) -> None:
    assert parse_set_cookie(line, NOW).name == name


@pytest.mark.parametrize(
    ("attributes", "lifetime"),
    [
        ("", None),
        ("; Max-Age=60", 60),
        ("; max-age=60; Max-Age=0", 0),
        ("; Max-Age=0; Max-Age=60", 60),
        ("; Max-Age=-5", -5),
        ("; Max-Age=soon", None),
        ("; Max-Age=+5", None),
        ("; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", 60),
        ("; Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT", 0),
        ("; Expires=sometime", float("inf")),
        ("; Expires=Thu, 99 Jan 1970 00:00:00 GMT", float("inf")),
        ("; Expires=0", float("inf")),
    ],
)
def test_the_lifetime_is_what_a_browser_would_take(attributes: str, lifetime: float | None) -> None:
    assert parse_set_cookie("a=b" + attributes, NOW).lifetime == lifetime


@pytest.mark.parametrize(
    "date", ["Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01-Jan-1970 00:00:00 GMT", "Thursday, 01-jan-1970 00:00:00 gmt"]
)
def test_a_date_in_the_past_deletes(date: str) -> None:
    assert parse_set_cookie(f"a=; Expires={date}", NOW).deletes


def test_a_lifetime_is_cut_down_and_nothing_else_is_changed() -> None:
    cookie = parse_set_cookie("a=b; Path=/; Max-Age=9000; expires=Fri, 31 Dec 9999 23:59:59 GMT; HttpOnly", NOW)
    assert cookie.capped(60) == "a=b; Path=/; HttpOnly; Max-Age=60"
    assert cookie.capped(None) == "a=b; Path=/; HttpOnly"


@given(st.text(max_size=200), st.integers(0, 10**9) | st.none())
def test_no_capped_cookie_outlives_its_cap(line: str, cap: int | None) -> None:
    cookie = parse_set_cookie(line, NOW)
    assert not parse_set_cookie(cookie.capped(cap), NOW).outlives(cap)


def test_cookies_of_a_request_are_read_leniently() -> None:
    fields = ['a=1; b="x y"; =c; d; e=f=g', "h=2"]
    assert parse_cookies(fields) == {"a": "1", "b": '"x y"', "": "c", "e": "f=g", "h": "2"}


def test_a_planted_second_state_makes_neither_count() -> None:
    fields = ["consent_state=mine; a=1; consent_state=planted; a=2; consent_visitor=v; consent_visitor=v"]
    assert parse_cookies(fields) == {"a": "1", "consent_visitor": "v"}


def test_a_cookie_is_expired_on_the_host_and_the_domains_above() -> None:
    lines = expiring_lines("_ga", "/", "", "www.shop.example:8443")
    assert [line.partition("; Path")[0] for line in lines] == [
        "_ga=",
        "_ga=; Domain=www.shop.example",
        "_ga=; Domain=shop.example",
    ]
    assert all(parse_set_cookie(line, NOW).deletes for line in lines)


@pytest.mark.parametrize("host", [None, "", "localhost", "127.0.0.1:80", "[::1]:80", "a b.c", "x\r\nSet-Cookie: y.z"])
def test_a_host_without_domains_above_gets_one_field(host: str | None) -> None:
    assert len(expiring_lines("_ga", "/", "", host)) == 1


def test_a_declared_domain_is_used() -> None:
    assert expiring_lines("_ga", "/p", ".shop.example", "else.example")[1].startswith(
        "_ga=; Domain=shop.example; Path=/p;"
    )


@pytest.mark.parametrize(("name", "path"), [("a b", "/"), ("a;b", "/"), ("a\r\n", "/"), ("", "/"), ("a", "/\r\nX: y")])
def test_nothing_that_could_split_a_header_is_written(name: str, path: str) -> None:
    assert expiring_lines(name, path, "", "shop.example") == []
