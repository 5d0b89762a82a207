"""The asynchronous client: the same methods as the synchronous one, each to be awaited."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self, TypeVar

from consent_client import writes
from consent_client._http import httpx
from consent_client.answers import Decisions
from consent_client.calls import Call, Reply
from consent_client.core import Core
from consent_client.decisions import ask
from consent_client.errors import Unavailable
from consent_client.exchange import Flow, Pause
from consent_client.local import LocalDecisions
from consent_client.signals import Headers, read_signals
from consent_client.transports import AsyncTransport

if TYPE_CHECKING:
    from consent_client.client import ConsentClient

Result = TypeVar("Result")


class AsyncConsentClient:
    """Asks the service for decisions and consent, and decides locally by the visitor's signed state.

    `timeout` is in seconds and holds for each attempt. A decision takes no longer than that in all, and denies
    where the service does not answer; every other method raises `ConsentError` and may take three times as long.
    `site` and `issuer` pin what a token must name; the site is otherwise the one of the tracker table.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float = 0.3,
        site: str | None = None,
        issuer: str | None = None,
        transport: "httpx.AsyncBaseTransport | None" = None,
    ) -> None:
        self.base_url = base_url
        self.core = Core(key, timeout=timeout, site=site, issuer=issuer)
        self._transport = AsyncTransport(base_url, transport)

    async def decide(
        self,
        visitor_id: str | None,
        names: str | Iterable[str],
        *,
        region: str | None = None,
        dnt: str | None = None,
        gpc: bool | None = None,
    ) -> Decisions:
        """Decide about trackers and categories for one visitor (None: one who is new); never raises ConsentError."""
        return await self.run(self.core.decide(ask(visitor_id, names, region, dnt, gpc)))

    async def decide_many(self, requests: Iterable[Mapping[str, object]]) -> list[Decisions]:
        """Decide for many visitors, such as a mailing's; answers in the order given; never raises ConsentError.

        Each holds `visitor_id`, `names` (or `trackers` and `categories`), and optionally `region`, `dnt`, `gpc`.
        """
        return await self.run(self.core.decide_many(requests))

    async def from_state(self, cookie: str | None, headers: Headers | None = None) -> LocalDecisions:
        """Decide by the value of the `consent_state` cookie and the request's headers.

        No request is made while the token lives, but for keys and tracker table, which are fetched once and kept.
        """
        signals = read_signals(headers)
        known = self.core.remembered(cookie, signals)
        return known if known is not None else await self.run(self.core.local(cookie, signals))

    async def consent(self, visitor_id: str) -> dict[str, object]:
        """Give the visitor's consent as the service answers it."""
        return await self.run(writes.consent(self.core, visitor_id))

    async def new_visitor(self) -> str:
        """Mint a visitor and give its id."""
        return await self.run(writes.new_visitor(self.core))

    async def record(
        self,
        visitor_id: str,
        action: str,
        choices: Mapping[str, bool] | None = None,
        *,
        policy_version: str | None = None,
        locale: str = "en",
        method: str = "api",
        **members: object,
    ) -> dict[str, object]:
        """Record a choice; without a policy version it is the one in force."""
        submission = {"action": action, "choices": choices, "locale": locale, "method": method, **members}
        return await self.run(writes.record(self.core, visitor_id, submission, policy_version))

    async def withdraw(self, visitor_id: str) -> dict[str, object]:
        """Withdraw everything on every channel."""
        return await self.run(writes.withdraw(self.core, visitor_id))

    async def link_account(self, visitor_id: str, account_ref: str) -> dict[str, object]:
        """Tell that the visitor logged in; the service keeps a keyed hash of the reference only."""
        return await self.run(writes.link_account(self.core, visitor_id, account_ref))

    async def unlink_account(self, visitor_id: str) -> dict[str, object]:
        """Tell that the visitor logged out."""
        return await self.run(writes.unlink_account(self.core, visitor_id))

    async def output(self, visitor_id: str, format: str, *, region: str | None = None) -> dict[str, object]:  # noqa: A002
        """Give a platform's own consent vocabulary: google, uet, clarity, meta, shopify, wordpress or gpp."""
        return await self.run(writes.output(self.core, visitor_id, format, region))

    async def withdrawal_link(self, visitor_id: str) -> dict[str, object]:
        """Give the `url` that every mail to a visitor bears, and the `headers` for mail programs (RFC 8058)."""
        return await self.run(writes.withdrawal_link(self.core, visitor_id))

    async def run(self, flow: Flow[Result]) -> Result:
        """Drive a flow to its end."""
        try:
            step = next(flow)
            while True:
                try:
                    reply = await self._take(step)
                except Unavailable as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(reply)
        except StopIteration as done:
            result: Result = done.value
            return result

    async def _take(self, step: Call | Pause) -> Reply | None:
        if isinstance(step, Call):
            return await self._transport.send(step)
        await asyncio.sleep(step.seconds)
        return None

    @classmethod
    def sharing(cls, core: Core, base_url: str) -> Self:
        """Make a client over the keys, table and memory of another."""
        client = cls(base_url, "", timeout=core.timeout)
        client.core = core
        return client

    def as_sync(self) -> "ConsentClient":
        """Give a synchronous client that shares this one's keys, table and memory."""
        from consent_client.client import ConsentClient  # noqa: PLC0415 - the two know each other

        return ConsentClient.sharing(self.core, self.base_url)

    async def close(self) -> None:
        """Close the kept connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
