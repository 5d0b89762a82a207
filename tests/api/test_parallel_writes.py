"""Two answers of one visitor at once: both are on record, and the last one by the server's order holds (SVC-12)."""

import asyncio

import httpx

from tests.support.service import Running, submission

ROUNDS = 12


async def accept_and_withdraw(browser: httpx.AsyncClient) -> tuple[str, str]:
    """Accept and withdraw at the same time; gives the last event and what may run after it."""
    await asyncio.gather(browser.put("/v1/consent", json=submission()), browser.delete("/v1/consent"))
    history = (await browser.get("/v1/consent/history?limit=1000")).json()["events"]
    state = (await browser.get("/v1/consent")).json()
    return history[-1]["event_type"], state["categories"]["advertising"]["reason"]


async def test_a_withdrawal_beside_an_acceptance_is_never_lost(any_service: Running) -> None:
    """SVC-12: what holds is what stands last in the log, never a grant behind a withdrawal."""
    async with any_service.browser() as browser:
        first = (await browser.put("/v1/consent", json=submission())).json()
        ends = [await accept_and_withdraw(browser) for _ in range(ROUNDS)]
        last = (await browser.get("/v1/consent")).json()

    assert set(ends) <= {("withdrawn", "withdrawn"), ("given", "granted"), ("renewed", "granted")}
    assert last["revision"] == first["revision"] + 2 * ROUNDS
