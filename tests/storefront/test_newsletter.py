"""The newsletter: a pixel only where e-mail tracking was chosen, and a way out that needs no sign-in (TRK-02 to TRK-04)."""

import re

import httpx

from tests.storefront.demo import Browser

PIXEL = re.compile(r'<img src="(/newsletter/opened/[^"]+)"')
STOP = re.compile(r'href="(http[^"?]+/withdraw/[^"?]+)')
OPENS = re.compile(r'id="opens">(\d+)<')


def found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    assert match is not None, text
    return match[1]


def test_agreeing_to_everything_on_the_web_says_nothing_about_mails(browser: Browser) -> None:
    """TRK-03."""
    browser.choose("accept_all")
    mail = browser.send("/newsletter", email="a@b.example")
    assert PIXEL.search(mail.text) is None
    assert STOP.search(mail.text) is not None


def test_a_subscriber_who_agrees_is_counted_until_the_link_is_used(browser: Browser) -> None:
    """TRK-02, TRK-04."""
    mail = browser.send("/newsletter", email="a@b.example", measure="yes").text
    pixel, stop = found(PIXEL, mail), found(STOP, mail)
    browser.look(pixel)
    assert found(OPENS, browser.look("/newsletter/mail").text) == "1"

    assert browser.http.get(stop).status_code == 200
    assert PIXEL.search(browser.look("/newsletter/mail").text) is not None

    # The reader's mail program, which has no cookie of theirs.
    clicked = httpx.post(stop, data={"List-Unsubscribe": "One-Click"}, timeout=30)
    assert clicked.status_code == 200
    assert PIXEL.search(browser.look("/newsletter/mail").text) is None
    # The mail that lies in the mailbox still holds its pixel.
    browser.look(pixel)
    assert found(OPENS, browser.look("/newsletter/mail").text) == "1"


def test_the_mail_bears_the_fields_that_mail_programs_look_for(browser: Browser) -> None:
    """RFC 8058."""
    mail = browser.send("/newsletter", email="a@b.example").text
    assert f"List-Unsubscribe: &lt;{found(STOP, mail)}&gt;" in mail
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail


def test_a_subscription_without_the_box_ticked_measures_nothing(browser: Browser) -> None:
    mail = browser.send("/newsletter", email="a@b.example").text
    assert PIXEL.search(mail) is None
    assert 'href="/products/lantern"' in mail


def test_a_pixel_that_the_shop_did_not_sign_counts_nothing(browser: Browser) -> None:
    browser.send("/newsletter", email="a@b.example", measure="yes")
    browser.look(f"/newsletter/opened/{'A' * 22}.{'0' * 32}.gif")
    assert found(OPENS, browser.look("/newsletter/mail").text) == "0"


def test_the_choice_about_mails_leaves_the_webs_alone(browser: Browser) -> None:
    browser.choose("accept_all")
    stop = found(STOP, browser.send("/newsletter", email="a@b.example", measure="yes").text)
    httpx.post(stop, data={"List-Unsubscribe": "One-Click"}, timeout=30)
    browser.look()
    assert "_fbp" in browser.jar
