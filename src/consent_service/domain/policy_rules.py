"""What makes a policy acceptable beyond its form: languages, fairness of the notice, providers and exemptions.

Each fault's code names the rule of law or design that it breaks, so that an author can look it up.
"""

from collections.abc import Mapping

from consent_service.domain.document_reader import Node
from consent_service.domain.durations import Duration
from consent_service.domain.policy import Policy, Tracker
from consent_service.domain.regions import ANYWHERE, GDPR_LOWEST_AGE, GDPR_REGIONS
from consent_service.domain.vocabulary import PIXEL_KINDS, Category, ExemptBasis, TrackerKind, TrackerScope

NOTICE_TEXTS = ("title", "body", "accept_all", "reject_all", "customize", "save")
"""The texts that every language must have."""
FIRST_LAYER = ("accept_all", "reject_all", "customize")

_DAY = 86_400
_MAX_EXEMPT_DAYS: Mapping[ExemptBasis, int] = {
    ExemptBasis.AUTHENTICATION: 30,
    ExemptBasis.USER_INPUT: 1,
    ExemptBasis.MULTIMEDIA_PLAYER: 1,
    ExemptBasis.LOAD_BALANCING: 1,
    ExemptBasis.UI_CUSTOMISATION: 366,
    ExemptBasis.CART_AND_BILLING: 366,
    ExemptBasis.METERED_ACCESS: 366,
    ExemptBasis.SECURITY: 397,
    ExemptBasis.SOCIAL_SHARE_MEMBER: 1,
    ExemptBasis.CONSENT_CHOICE: 400,
    ExemptBasis.AUDIENCE_MEASUREMENT: 397,
}
"""The longest life of an exempt tracker: WP194 asks for the session or little more, the CNIL for 13 months at most.

Thirteen months are 397 days at the longest.
"""

_E_MAIL_BASES: Mapping[ExemptBasis, TrackerScope] = {
    ExemptBasis.AGGREGATE_EMAIL_MEASUREMENT: TrackerScope.AGGREGATE,
    ExemptBasis.EMAIL_SECURITY: TrackerScope.SECURITY,
}
_NEVER_EXEMPT = frozenset({Category.ADVERTISING})
"""Advertising is never exempt, anywhere (rules.md §4.1); pixels in mails are judged by their scope alone (TRK-02)."""


def check(policy: Policy, root: Node) -> None:
    """Add a fault to the document for everything that the policy must not say."""
    _check_languages(policy, root)
    _check_first_layer(policy, root.at("banner").at("first_layer"))
    _check_ages(policy, root.at("age_of_consent"))
    for index, tracker in enumerate(policy.trackers):
        node = root.at("trackers").at(index)
        _check_texts(policy, tracker.purpose, node.at("purpose"))
        if tracker.provider not in policy.providers:
            node.at("provider").fault("provider-undefined", "no entry under /providers defines this provider (TRK-06)")
        _check_necessary(tracker, node)
        _check_exemption(tracker, node)


def _check_languages(policy: Policy, root: Node) -> None:
    for tag in policy.languages:
        notice = root.at("texts").at(tag)
        texts = policy.texts.get(tag, {})
        for name in NOTICE_TEXTS:
            if name not in texts:
                notice.at(name).fault("text-missing", "this text is missing in an available language")
    for category, entry in policy.categories.items():
        node = root.at("categories").at(category.value)
        _check_texts(policy, entry.title, node.at("title"))
        _check_texts(policy, entry.description, node.at("description"))
        if category is Category.STRICTLY_NECESSARY and entry.sells_or_shares:
            node.at("sells_or_shares").fault("CON-04", "what is strictly necessary is not sold or shared")


def _check_texts(policy: Policy, texts: Mapping[str, str], node: Node) -> None:
    for tag in policy.languages:
        if tag not in texts:
            node.at(tag).fault("text-missing", "this text is missing in an available language")


def _check_first_layer(policy: Policy, node: Node) -> None:
    for index, word in enumerate(policy.first_layer):
        if word not in FIRST_LAYER:
            node.at(index).fault("word-unknown", "one of these is expected: " + ", ".join(FIRST_LAYER))
    if "accept_all" in policy.first_layer and "reject_all" not in policy.first_layer:
        node.fault("CON-22", "where the first layer offers accept_all it must offer reject_all (11 CCR 7004(a)(2))")
    if "reject_all" not in policy.first_layer and "customize" not in policy.first_layer:
        node.fault("CON-15", "the first layer must let the visitor refuse or choose")


def _check_ages(policy: Policy, node: Node) -> None:
    too_low = [code for code in GDPR_REGIONS if policy.age_of_consent(code) < GDPR_LOWEST_AGE]
    if too_low:
        places = ", ".join(too_low)
        node.fault("KID-02", f"in {places} nobody below {GDPR_LOWEST_AGE} consents for themselves (GDPR Art. 8(1))")


def _check_necessary(tracker: Tracker, node: Node) -> None:
    if tracker.category is not Category.STRICTLY_NECESSARY:
        return
    if tracker.third_party:
        node.at("third_party").fault("CON-04", "a strictly necessary tracker cannot be a third party's")
    if tracker.kind in PIXEL_KINDS:
        node.at("kind").fault("CON-04", "a pixel cannot be strictly necessary")
    if tracker.sells_or_shares:
        node.at("sells_or_shares").fault("CON-04", "what is strictly necessary is not sold or shared")


def _check_exemption(tracker: Tracker, node: Node) -> None:
    if tracker.exempt is None:
        return
    basis, exempt = tracker.exempt.basis, node.at("exempt")
    if not tracker.exempt.regions:
        exempt.at("regions").fault("regions-missing", "at least one region, or *, is expected")
    if tracker.sells_or_shares:
        exempt.fault("exemption-shared", "a tracker that sells or shares data is never exempt")
    if basis in _E_MAIL_BASES:
        if tracker.kind is not TrackerKind.EMAIL_PIXEL or tracker.scope is not _E_MAIL_BASES[basis]:
            exempt.fault("TRK-02", f"this basis fits an e-mail pixel of scope {_E_MAIL_BASES[basis].value} only")
        return
    if tracker.category in _NEVER_EXEMPT or tracker.kind in PIXEL_KINDS:
        exempt.fault("exemption-unfit", "no basis exempts advertising or a pixel")
    if basis is ExemptBasis.SOCIAL_SHARE_MEMBER and tracker.scope is not TrackerScope.SHARE:
        exempt.fault("TRK-09", "only a sharing plug-in for members is exempt: scope share")
    if basis is not ExemptBasis.SOCIAL_SHARE_MEMBER and tracker.category is Category.SOCIAL_MEDIA:
        exempt.fault("TRK-09", "social media is exempt for members' sharing only")
    if basis is ExemptBasis.AUDIENCE_MEASUREMENT:
        _check_audience_measurement(tracker, exempt)
    if _days(tracker.duration) > _MAX_EXEMPT_DAYS[basis]:
        node.at("duration").fault("exemption-lifetime", f"this basis allows {_MAX_EXEMPT_DAYS[basis]} days at most")


def _check_audience_measurement(tracker: Tracker, exempt: Node) -> None:
    if tracker.third_party or tracker.scope is not TrackerScope.AGGREGATE:
        exempt.fault("REG-04", "audience measurement is exempt for the shop's own aggregate figures only")
    if tracker.exempt and ANYWHERE in tracker.exempt.regions:
        exempt.at("regions").fault("REG-04", "name the regions whose law has this exemption, such as FR or GB")


def _days(duration: Duration | None) -> float:
    return 0 if duration is None else duration.months * 30.5 + duration.seconds / _DAY
