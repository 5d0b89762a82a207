"""Signing in: what one device said about sale and sharing holds on the customer's others (SIG-14, SIG-15)."""

import secrets

from tests.storefront.demo import Browser, Demo


def test_a_signal_of_one_device_holds_on_the_other_once_both_are_signed_in(demo: Demo) -> None:
    name = f"noelle-{secrets.token_hex(4)}"
    phone, laptop = demo.browser(Sec_GPC="1"), demo.browser()
    laptop.choose("accept_all")
    laptop.look()
    assert "_fbp" in laptop.jar

    phone.choose("reject_all")
    phone.send("/login", name=name)
    phone.look()
    laptop.send("/login", name=name)
    laptop.look()
    assert "_fbp" not in laptop.jar
    assert "Global Privacy Control" in laptop.panel("answers")["Advertising"]


def test_whoever_signs_in_before_the_first_answer_is_known_after_it(demo: Demo) -> None:
    name = f"noelle-{secrets.token_hex(4)}"
    phone, laptop = demo.browser(Sec_GPC="1"), demo.browser()
    phone.send("/login", name=name)
    phone.choose("reject_all")
    phone.look()
    laptop.choose("accept_all")
    laptop.send("/login", name=name)
    laptop.look()
    assert "_fbp" not in laptop.jar


def test_another_customers_signal_changes_nothing(demo: Demo) -> None:
    phone, laptop = demo.browser(Sec_GPC="1"), demo.browser()
    phone.choose("reject_all")
    phone.send("/login", name=f"caleb-{secrets.token_hex(4)}")
    laptop.choose("accept_all")
    laptop.send("/login", name=f"noelle-{secrets.token_hex(4)}")
    laptop.look()
    assert "_fbp" in laptop.jar


def test_signing_in_and_out_changes_the_session_and_what_is_shown(browser: Browser) -> None:
    browser.look()
    before = browser.http.cookies["session"]
    assert "Sign out" in browser.send("/login", name="ramona").text
    assert browser.http.cookies["session"] != before
    assert "Sign in" in browser.send("/logout").text
