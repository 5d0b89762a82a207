"""The regulator's own scenarios, 11 CCR 7025(c)(7), as rules.md §6.4 numbers them."""

from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.transitions.accounts import link
from consent_service.domain.transitions.choices import Submission, submit
from consent_service.domain.transitions.context import Context
from consent_service.domain.transitions.signals import news, observe
from consent_service.domain.vocabulary import Action, Category, Reason
from tests.support.builders import account, allowed, chosen, context, reason, record, situation

ADS = Category.ADVERTISING
EVERYTHING = Submission(Action.ACCEPT_ALL)
BROWSER, OTHER_BROWSER = record(visitor_id="A" * 22), record(visitor_id="B" * 22)


def california(*, gpc: bool = False) -> Context:
    """Make a request from California."""
    return context(region="US-CA", gpc=gpc)


def decided(known: ConsentRecord | None, asked: Category | str = ADS, *, gpc: bool = False) -> Reason:
    """Ask from California."""
    return reason(situation(known, "US-CA", gpc=gpc), asked)


def after_login(browser: ConsentRecord, state: AccountState) -> ConsentRecord:
    """Log a browser in."""
    return link(browser, state, california()).record


def test_case_a_caleb_is_not_logged_in_and_his_signal_binds_this_browser_alone() -> None:
    """SIG-16, case A: sale and sharing stop for the browser; the account he has elsewhere is not touched."""
    assert decided(BROWSER) is Reason.REGION_DEFAULT
    his_account = account()
    signalled = observe(BROWSER, california(gpc=True)).record
    assert (decided(BROWSER, gpc=True), decided(signalled), decided(signalled, "_fbp")) == (Reason.GPC,) * 3
    assert decided(after_login(OTHER_BROWSER, his_account)) is Reason.REGION_DEFAULT
    assert signalled.account is None


def test_case_b_noelle_is_logged_in_and_her_signal_binds_browser_account_and_offline_sale() -> None:
    """SIG-14, case B: the default of the account allowed; she is told of the conflict and may consent, nothing more."""
    noelle = after_login(submit(BROWSER, EVERYTHING, california()).record, account())
    assert decided(noelle) is Reason.GRANTED
    signalled = observe(noelle, california(gpc=True)).record
    assert (signalled.gpc, signalled.account) == (True, account(gpc=True))
    assert decided(signalled) is Reason.GPC
    offline = record(visitor_id="C" * 22, account=signalled.account)
    assert decided(offline) is Reason.GPC
    consented = submit(signalled, EVERYTHING, california()).record
    assert decided(consented) is Reason.GRANTED


def test_case_c_noelle_s_other_browser_sends_no_signal_and_that_is_no_opt_in() -> None:
    """SIG-15, case C: absence changes nothing for a known customer, however often she comes back."""
    first = observe(after_login(BROWSER, account()), california(gpc=True)).record
    assert first.account is not None
    other = after_login(OTHER_BROWSER, first.account)
    assert not news(other, california().signals)
    assert observe(other, california()).record == other
    assert decided(other) is Reason.GPC


def test_case_d_ramona_is_known_by_a_cookie_and_what_is_not_sold_goes_on() -> None:
    """SIG-13, case D: the signal stops sale and sharing at once; the programme's own trackers are not concerned."""
    ramona = record(web=chosen(ADS, Category.FUNCTIONALITY))
    signalled = observe(ramona, california(gpc=True)).record
    assert (decided(signalled), decided(signalled, "_fbp")) == (Reason.GPC, Reason.GPC)
    assert (decided(signalled, "own_ads"), decided(signalled, "settings_lso")) == (Reason.GRANTED, Reason.GRANTED)


def test_case_d_ramona_may_affirm_that_she_stays_in_the_programme() -> None:
    """SIG-11, case D: only her own explicit choice, made without the signal, sets it aside."""
    signalled = observe(record(web=chosen(ADS)), california(gpc=True)).record
    with_signal = submit(signalled, EVERYTHING, california(gpc=True)).record
    assert decided(with_signal) is Reason.GPC
    assert decided(submit(with_signal, EVERYTHING, california()).record) is Reason.GRANTED


def test_case_e_ramona_clears_her_cookies_and_is_honoured_as_someone_new() -> None:
    """SIG-17, SIG-18, case E: no cookie, no login, no body; the header alone."""
    assert (decided(None, gpc=True), decided(None, "_fbp", gpc=True)) == (Reason.GPC, Reason.GPC)
    s = situation(None, "US-CA", gpc=True)
    assert s.sale_share_opt_out
    assert allowed(s) >= {"session", "cart", "own_ads", "settings_lso"}
    assert allowed(s).isdisjoint({"advertising", "social_media", "_fbp", "ad_pixel", "like"})


def test_the_page_may_say_that_the_opt_out_is_honoured_only_where_it_is() -> None:
    """SIG-19: by signal or by form; a signal that has no effect here is known all the same."""
    by_form = situation(record(opted_out=True), "US-CA")
    assert (by_form.sale_share_opt_out, by_form.gpc_effective) == (True, False)
    assert not situation(None, "US-CA").sale_share_opt_out
