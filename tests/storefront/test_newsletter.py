"""The newsletter: a pixel only where e-mail tracking was chosen, and a way out that needs no sign-in (TRK-02 to TRK-04)."""

import re

from tests.storefront.demo import Browser

PIXEL = re.compile(r'<img src="(/newsletter/opened/[^"]+)"')
STOP = re.compile(r'href="(/newsletter/stop/[^"]+)"')
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

    browser.look(stop)
    assert PIXEL.search(browser.look("/newsletter/mail").text) is not None

    stranger = browser.demo.browser()
    assert "Done" in stranger.send(stop).text
    assert PIXEL.search(browser.look("/newsletter/mail").text) is None
    # The mail that lies in the mailbox still holds its pixel.
    browser.look(pixel)
    assert found(OPENS, browser.look("/newsletter/mail").text) == "1"


def test_a_subscription_without_the_box_ticked_measures_nothing(browser: Browser) -> None:
    mail = browser.send("/newsletter", email="a@b.example").text
    assert PIXEL.search(mail) is None
    assert 'href="/products/lantern"' in mail


def test_a_link_that_the_shop_did_not_sign_does_nothing(browser: Browser) -> None:
    forged = f"/newsletter/stop/{'A' * 22}.{'0' * 32}"
    assert browser.http.get(browser.demo.shop + forged).status_code == 404
    assert browser.http.post(browser.demo.shop + forged).status_code == 404
    assert browser.http.get(f"{browser.demo.shop}/newsletter/opened/{'A' * 22}.0.gif").status_code == 200


def test_the_choice_about_mails_leaves_the_webs_alone(browser: Browser) -> None:
    browser.choose("accept_all")
    stop = found(STOP, browser.send("/newsletter", email="a@b.example", measure="yes").text)
    browser.send(stop)
    browser.look()
    assert "_fbp" in browser.jar
