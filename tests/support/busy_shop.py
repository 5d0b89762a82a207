"""Some weeks of a shop's visitors, through the real API and with a clock that is moved from day to day."""

import random
from datetime import timedelta

from tests.support.service import CLIENT, VERSION, Running, choices, submission

REGION_HEADER = "X-Region"
SETTINGS = {"region_header": REGION_HEADER, "trusted_proxies": (f"{CLIENT[0]}/32",), "address_writes_per_minute": 10**6}
"""What the service needs to be told regions in these headers."""
REGIONS = {"FR": 30, "DE": 25, "GB": 14, "US-CA": 12, "ES": 9, "IT": 8, "NL": 5, "CA-QC": 3, "SE": 1}
WILLING = {
    "FR": 0.46,
    "DE": 0.38,
    "GB": 0.58,
    "US-CA": 0.66,
    "ES": 0.62,
    "IT": 0.55,
    "NL": 0.34,
    "CA-QC": 0.5,
    "SE": 0.4,
}
_SOME = (
    ("statistical", "analytical_performance"),
    ("functionality", "technical", "personalization"),
    ("technical", "functionality", "statistical"),
    ("technical", "advertising"),
)


async def visit(service: Running, days: int, a_day: int, version: str = VERSION, seed: int = 1) -> None:
    """Let visitors come for so many days, about as many each day; weekends are busier."""
    drawn = random.Random(seed)  # noqa: S311 - the same shop each time
    for day in range(days):
        busy = 1.35 if service.clock.now.weekday() > 4 else 1.0
        for _ in range(int(a_day * busy * drawn.uniform(0.75, 1.25))):
            await _visitor(service, drawn, version, day / max(1, days))
        await service.services.checkpoints.publish_news()
        service.clock.forward(timedelta(days=1))


async def _visitor(service: Running, drawn: random.Random, version: str, progress: float) -> None:
    (region,) = drawn.choices(list(REGIONS), list(REGIONS.values()))
    signals = _signals(drawn, region, progress)
    async with service.browser(**signals) as browser:
        browser.headers[REGION_HEADER] = region
        (await browser.put("/v1/consent", json=_answer(drawn, region, version, progress))).raise_for_status()
        if drawn.random() < 0.05:
            await browser.delete("/v1/consent")
        if drawn.random() < 0.08:
            await browser.put("/v1/consent", json=_answer(drawn, region, version, progress))


def _signals(drawn: random.Random, region: str, progress: float) -> dict[str, str]:
    signals: dict[str, str] = {}
    if drawn.random() < (0.3 if region == "US-CA" else 0.06) + 0.06 * progress:
        signals["Sec_GPC"] = "1"
    if drawn.random() < 0.11 - 0.04 * progress:
        signals["DNT"] = "1"
    return signals


def _answer(drawn: random.Random, region: str, version: str, progress: float) -> dict[str, object]:
    said, willing = drawn.random(), WILLING[region] + 0.08 * progress
    if said < 0.04:
        return submission("dismiss", policy_version=version)
    if said < 0.04 + willing * 0.8:
        return submission("accept_all", policy_version=version)
    if said < 0.22 + willing * 0.8:
        return submission("custom", policy_version=version, choices=choices(*drawn.choice(_SOME)))
    return submission("reject_all", policy_version=version)
