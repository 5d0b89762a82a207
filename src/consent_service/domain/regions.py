"""The built-in region tables: which regime applies where a policy names none, since when, and by which source.

A region is an ISO 3166-1 country or ISO 3166-2 subdivision (`FR`, `US-CA`). A subdivision that has no row of its
own takes its country's row; an unknown region takes the strictest answer (REG-01). What a law sets is data here and
a policy may override every row. `consent-service policy regimes` prints these tables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from consent_service.domain.vocabulary import Regime

Value = TypeVar("Value")

_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")

ANYWHERE = "*"
"""In a policy: every region, the unknown one included."""


@dataclass(frozen=True, slots=True)
class RegimeRule:
    """A regime and the regions it applies in; of several rules the first that covers a region wins."""

    regions: frozenset[str]
    regime: Regime


@dataclass(frozen=True, slots=True)
class RegionRule:
    """One row: a regime, where, since when and why."""

    region: str
    regime: Regime
    effective: date
    source: str
    gpc_required: bool = False
    """Whether the law there asks that an opt-out preference signal be honoured."""


def parse_region(text: str | None) -> str | None:
    """Read a region code in any letter case; anything else is the unknown region (REG-01), never an error."""
    if text is None or not text.isascii():  # letters such as the ligature fi turn into others in upper case
        return None
    code = text.strip().upper()
    return code if _REGION.fullmatch(code) else None


def lookup(table: Mapping[str, Value], region: str | None) -> Value | None:
    """Find the row of a region: its own, else its country's, else the one for anywhere."""
    if region is not None:
        for code in (region, region[:2]):
            if code in table:
                return table[code]
    return table.get(ANYWHERE)


def covers(regions: frozenset[str], region: str | None) -> bool:
    """Tell whether a list of regions holds this one; the unknown region is only covered by `*`."""
    return ANYWHERE in regions or (region is not None and (region in regions or region[:2] in regions))


_EPRIVACY = "Directive 2002/58/EC Art. 5(3) as amended by 2009/136/EC; GDPR Art. 4(11)"
_EU = (
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split()  # noqa: SIM905 - a table of 27 codes reads better as words
)
_US_STATES = (
    ("US-CA", date(2020, 1, 1), "Cal. Civ. Code 1798.100 ff. (CCPA/CPRA); 11 CCR 7025", True),
    ("US-VA", date(2023, 1, 1), "Va. Code 59.1-575 ff. (VCDPA)", False),
    ("US-CO", date(2023, 7, 1), "Colo. Rev. Stat. 6-1-1301 ff.; 4 CCR 904-3", True),
    ("US-CT", date(2023, 7, 1), "Conn. Gen. Stat. 42-515 ff. (CTDPA)", True),
    ("US-UT", date(2023, 12, 31), "Utah Code 13-61-101 ff. (UCPA)", False),
    ("US-FL", date(2024, 7, 1), "Fla. Stat. 501.701 ff. (FDBR)", False),
    ("US-OR", date(2024, 7, 1), "Or. Rev. Stat. 646A.570 ff. (OCPA)", True),
    ("US-TX", date(2024, 7, 1), "Tex. Bus. & Com. Code 541 (TDPSA)", True),
    ("US-MT", date(2024, 10, 1), "Mont. Code 30-14-2801 ff. (MCDPA)", True),
    ("US-DE", date(2025, 1, 1), "Del. Code tit. 6 ch. 12D (DPDPA)", True),
    ("US-IA", date(2025, 1, 1), "Iowa Code 715D (ICDPA)", False),
    ("US-NE", date(2025, 1, 1), "Neb. Rev. Stat. 87-1101 ff. (NDPA)", True),
    ("US-NH", date(2025, 1, 1), "N.H. Rev. Stat. 507-H", True),
    ("US-NJ", date(2025, 1, 15), "N.J. Stat. 56:8-166.4 ff. (NJDPA)", True),
    ("US-TN", date(2025, 7, 1), "Tenn. Code 47-18-3301 ff. (TIPA)", False),
    ("US-MN", date(2025, 7, 31), "Minn. Stat. 325M (MCDPA)", True),
    ("US-MD", date(2025, 10, 1), "Md. Code Com. Law 14-4701 ff. (MODPA)", True),
    ("US-IN", date(2026, 1, 1), "Ind. Code 24-15 (INCDPA)", False),
    ("US-KY", date(2026, 1, 1), "Ky. Rev. Stat. 367.3611 ff. (KCDPA)", False),
    ("US-RI", date(2026, 1, 1), "R.I. Gen. Laws 6-48.1 (RIDTPPA)", False),
)

REGION_RULES: tuple[RegionRule, ...] = (
    *(RegionRule(code, Regime.OPT_IN, date(2018, 5, 25), _EPRIVACY) for code in _EU),
    *(RegionRule(code, Regime.OPT_IN, date(2018, 7, 20), _EPRIVACY + "; EEA Joint Committee 154/2018") for code in ("IS", "LI", "NO")),
    RegionRule("GB", Regime.OPT_IN, date(2018, 5, 25), "PECR 2003 reg. 6; UK GDPR; Data (Use and Access) Act 2025"),
    RegionRule("CH", Regime.OPT_IN, date(2023, 9, 1), "revFADP; FMG Art. 45c; FDPIC cookie guideline 2025"),
    RegionRule("CA-QC", Regime.OPT_IN, date(2023, 9, 22), "Law 25 (CQLR c. P-39.1) s. 8.1: identifying functions off by default"),
    RegionRule("CA", Regime.OPT_OUT, date(2015, 12, 1), "PIPEDA; OPC guidance on online behavioural advertising"),
    RegionRule("CN", Regime.OPT_IN, date(2021, 11, 1), "PIPL Art. 13, 14, 23, 24, 39"),
    RegionRule("BR", Regime.OPT_IN, date(2020, 9, 18), "LGPD (Lei 13.709/2018) Art. 7, 8; ANPD cookie guide 2022"),
    *(RegionRule(code, Regime.OPT_OUT, since, law, gpc_required=gpc) for code, since, law, gpc in _US_STATES),
    RegionRule("US", Regime.OPT_OUT, date(2020, 1, 1), "state not known: as the strictest state laws", gpc_required=True),
)  # fmt: skip

BUILT_IN_REGIMES = tuple(RegimeRule(frozenset({rule.region}), rule.regime) for rule in REGION_RULES)
"""The same as a policy's rules: a subdivision stands before its country."""

GPC_REQUIRED: Mapping[str, bool] = {rule.region: rule.gpc_required for rule in REGION_RULES}

DEFAULT_AGES_OF_CONSENT: Mapping[str, int] = {
    # GDPR Art. 8(1) lets member states go down from 16 to 13; elsewhere the age the law there names.
    **dict.fromkeys(("BE", "DK", "EE", "FI", "LV", "MT", "PT", "SE", "NO", "IS", "GB"), 13),
    **dict.fromkeys(("AT", "BG", "CY", "ES", "IT", "LT", "CN"), 14),
    **dict.fromkeys(("CZ", "FR", "GR"), 15),
    # COPPA: under 13 a parent decides; from 13 to 15 California asks for an opt-in instead (REG-06).
    "US": 13,
    ANYWHERE: 16,
}

GDPR_LOWEST_AGE = 13
"""No member state may let one consent for oneself below this age (GDPR Art. 8(1); UK GDPR Art. 8(1))."""
GDPR_REGIONS = (*_EU, "IS", "LI", "NO", "GB")

SALE_OPT_IN_AGE = 16
"""Below this age a sale or sharing needs an opt-in even where others opt out (11 CCR 7071)."""
