"""The closed vocabularies of the service: the words of docs/glossary.md as types.

Every word here is part of the HTTP contract. The order of `Category` is the order of the vector in the
`consent_state` cookie and must never change.
"""

from enum import StrEnum


class Category(StrEnum):
    """One of the eight cookie categories, in the order of the `consent_state` vector."""

    TECHNICAL = "technical"
    PERSONALIZATION = "personalization"
    ADVERTISING = "advertising"
    STATISTICAL = "statistical"
    SOCIAL_MEDIA = "social_media"
    STRICTLY_NECESSARY = "strictly_necessary"
    ANALYTICAL_PERFORMANCE = "analytical_performance"
    FUNCTIONALITY = "functionality"


CATEGORIES: tuple[Category, ...] = tuple(Category)

TRACKING_CATEGORIES = frozenset(
    {Category.ADVERTISING, Category.SOCIAL_MEDIA, Category.STATISTICAL, Category.ANALYTICAL_PERFORMANCE}
)
"""What "do not track" speaks about (contract §5, rule 7)."""

CHILD_PROTECTED_CATEGORIES = frozenset({Category.ADVERTISING, Category.SOCIAL_MEDIA, Category.PERSONALIZATION})
"""What a child is never subjected to, whatever is stored (KID-01)."""


class Choice(StrEnum):
    """What a visitor said about one category. Silence is the absence of a choice, never a value."""

    GRANTED = "granted"
    DENIED = "denied"


class Dnt(StrEnum):
    """A Do Not Track preference that was expressed; an absent header is `None` (W3C TPE §5.2)."""

    DO_NOT_TRACK = "1"
    ALLOW = "0"


class Reason(StrEnum):
    """Why a decision came out as it did. The first three allow, the others deny."""

    EXEMPT = "exempt"
    GRANTED = "granted"
    REGION_DEFAULT = "region_default"
    NO_RECORD = "no_record"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    POLICY_CHANGED = "policy_changed"
    DNT = "dnt"
    GPC = "gpc"
    OPTED_OUT = "opted_out"
    CHILD = "child"
    RESTRICTED = "restricted"
    OBJECTED = "objected"
    SEPARATE_CONSENT = "separate_consent"
    UNREGISTERED = "unregistered"
    UNAVAILABLE = "unavailable"


ALLOWING_REASONS = frozenset({Reason.EXEMPT, Reason.GRANTED, Reason.REGION_DEFAULT})


class Regime(StrEnum):
    """What applies where a visitor has made no choice."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    NOTICE = "notice"


class DntMode(StrEnum):
    """What a policy does with `DNT: 1`: store it, respect it without a choice, or respect it over a grant."""

    RECORD = "record"
    RESPECT = "respect"
    STRICT = "strict"


class GpcMode(StrEnum):
    """Whether GPC is honoured everywhere or only where a law requires it."""

    HONOR = "honor"
    HONOR_WHERE_LAW_REQUIRES = "honor_where_law_requires"


class Action(StrEnum):
    """What the visitor did with the banner or the preference centre."""

    ACCEPT_ALL = "accept_all"
    REJECT_ALL = "reject_all"
    CUSTOM = "custom"
    DISMISS = "dismiss"


class Method(StrEnum):
    """By which interface a choice reached the service."""

    BANNER = "banner"
    PREFERENCES = "preferences"
    WITHDRAW_LINK = "withdraw_link"
    API = "api"
    IMPORT = "import"
    SIGNAL = "signal"


class Channel(StrEnum):
    """Where the trackers that a choice speaks about run; e-mail is chosen apart from the web (TRK-03)."""

    WEB = "web"
    EMAIL = "email"


class SeparateConsent(StrEnum):
    """What must be agreed apart from a bundle where the regime asks so (PIPL Art. 23 and 39)."""

    THIRD_PARTY_SHARING = "third_party_sharing"
    CROSS_BORDER = "cross_border"


class AgeBand(StrEnum):
    """The visitor's age as far as the shop says it; no birth date is ever taken."""

    CHILD = "child"
    UNDER_13 = "under_13"
    FROM_13_TO_15 = "13_15"
    FROM_16_TO_17 = "16_17"
    ADULT = "adult"
    UNKNOWN = "unknown"


YOUNGEST_AGE: dict[AgeBand, int | None] = {
    AgeBand.CHILD: 0,
    AgeBand.UNDER_13: 0,
    AgeBand.FROM_13_TO_15: 13,
    AgeBand.FROM_16_TO_17: 16,
    AgeBand.ADULT: 18,
    AgeBand.UNKNOWN: None,
}
"""The youngest age in years that a band admits; None where nothing is known."""


class TrackerKind(StrEnum):
    """By what technique a tracker works; one rule decides for all of them (TRK-01)."""

    COOKIE = "cookie"
    LOCAL_STORAGE = "local_storage"
    SESSION_STORAGE = "session_storage"
    INDEXED_DB = "indexed_db"
    LSO = "lso"
    WEB_PIXEL = "web_pixel"
    EMAIL_PIXEL = "email_pixel"
    SCRIPT = "script"
    EMBED = "embed"
    LINK = "link"


STORED_KINDS = frozenset(
    {
        TrackerKind.COOKIE,
        TrackerKind.LOCAL_STORAGE,
        TrackerKind.SESSION_STORAGE,
        TrackerKind.INDEXED_DB,
        TrackerKind.LSO,
    }
)
"""The kinds that leave something on the device, which a withdrawal must clean up (CON-14)."""

PIXEL_KINDS = frozenset({TrackerKind.WEB_PIXEL, TrackerKind.EMAIL_PIXEL})


class TrackerScope(StrEnum):
    """How far what a tracker learns reaches."""

    INDIVIDUAL = "individual"
    AGGREGATE = "aggregate"
    SECURITY = "security"
    SHARE = "share"
    TRACK = "track"


class ExemptBasis(StrEnum):
    """Why a tracker needs no consent (WP194; CNIL 2020-091 and 2026-042; rules.md §4.1)."""

    AUTHENTICATION = "authentication"
    USER_INPUT = "user_input"
    SECURITY = "security"
    MULTIMEDIA_PLAYER = "multimedia_player"
    LOAD_BALANCING = "load_balancing"
    UI_CUSTOMISATION = "ui_customisation"
    SOCIAL_SHARE_MEMBER = "social_share_member"
    CONSENT_CHOICE = "consent_choice"
    CART_AND_BILLING = "cart_and_billing"
    METERED_ACCESS = "metered_access"
    AUDIENCE_MEASUREMENT = "audience_measurement"
    AGGREGATE_EMAIL_MEASUREMENT = "aggregate_email_measurement"
    EMAIL_SECURITY = "email_security"


class EventType(StrEnum):
    """What happened, as the evidence log names it."""

    GIVEN = "given"
    RENEWED = "renewed"
    REFUSED = "refused"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    DISMISSED = "dismissed"
    IMPORTED = "imported"
    SIGNAL = "signal"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    ACCOUNT_LINKED = "account_linked"
    ACCOUNT_UNLINKED = "account_unlinked"
    NOTICE = "notice"
    AGE_BAND = "age_band"
    RESTRICTION = "restriction"
    OBJECTIONS = "objections"
    ERASED = "erased"
    PURGED = "purged"


class Scope(StrEnum):
    """What a key may do. Scopes do not include one another, but `manage` may decide."""

    DECIDE = "decide"
    MANAGE = "manage"
    AUDIT = "audit"
    ADMIN = "admin"
