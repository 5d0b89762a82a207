"""A consent authority for tests: the service's answers, without the service."""

import base64
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent_client._http import httpx
from consent_client.async_client import AsyncConsentClient
from consent_client.client import ConsentClient
from consent_client.signals import NO_SIGNALS, Signals
from consent_client.testing.reasons import Reasons, reasons
from consent_client.testing.sample import SAMPLE_TRACKERS, Entry, sample_categories
from consent_client.testing.visitor import FakeVisitor, Judgement
from consent_client.trackers import parse_table
from consent_client.vocabulary import CATEGORIES, NOBODY, STATE_COOKIE, VISITOR_COOKIE


@dataclass
class Rules:
    """What the site's policy says, as far as decisions hang on it; change it before the first question."""

    dnt_mode: str = "respect"
    gpc_mode: str = "honor"
    policy_version: str = "2026-01-01"
    site: str = "default"
    gpc_regions: frozenset[str] = frozenset({"US", "US-CA", "US-TX"})
    regimes: Mapping[str, str] | None = None
    """Region to regime; elsewhere it is opt_in. Without it: opt_out in US, US-CA and US-TX."""

    def regime(self, region: str | None) -> str:
        """Give the regime of a region."""
        table = self.regimes if self.regimes is not None else dict.fromkeys(self.gpc_regions, "opt_out")
        return table.get(region or "", "opt_in")

    def gpc_honored(self, region: str | None) -> bool:
        """Tell whether GPC has effect in a region, the unknown one included."""
        return self.gpc_mode == "honor" or region is None or region in self.gpc_regions


class FakeAuthority:
    """Visitors, a policy and the service's HTTP interface; `client()` and `async_client()` reach it in the process."""

    def __init__(
        self, trackers: list[Entry] | None = None, rules: Rules | None = None, source: Reasons | None = None
    ) -> None:
        self.rules = rules if rules is not None else Rules()
        self.trackers = trackers if trackers is not None else list(SAMPLE_TRACKERS)
        self.categories = sample_categories()
        self.visitors: dict[str, FakeVisitor] = {}
        self.outputs: dict[str, dict[str, object]] = {}
        """What the outputs answer, by format: a test that needs one says which."""
        self.key = "cs_manage_" + "k" * 43
        self.away = False
        """Set it to have every connection refused."""
        self.calls: list[tuple[str, str]] = []
        """Method and path of every request so far."""
        self.connections = 0
        """Connections accepted so far, where it is served over HTTP."""
        self.issuer = "https://consent.test"
        self._reasons = source if source is not None else reasons()
        self.log_key: str | None = None
        """Set it to have the published key marked as one of the evidence log, which signs no tokens."""
        self._signing_key = Ed25519PrivateKey.generate()
        self._key_id = secrets.token_urlsafe(8)

    # What a test arranges.

    def visitor(self) -> FakeVisitor:
        """Mint a visitor without any choice."""
        visitor = FakeVisitor(secrets.token_urlsafe(16))
        self.visitors[visitor.visitor_id] = visitor
        return visitor

    def visitor_who_granted(self, *categories: str) -> FakeVisitor:
        """Mint a visitor who granted these categories and refused the others; all are granted where none is named."""
        visitor = self.visitor()
        granted = {"strictly_necessary", *(categories or CATEGORIES)}
        visitor.choose({category: category in granted for category in CATEGORIES})
        return visitor

    def cookies(self, visitor: FakeVisitor, *, region: str | None = None, lives: float = 900) -> dict[str, str]:
        """Give the two cookies that the visitor's browser sends; the state lives so many seconds."""
        return {
            VISITOR_COOKIE: f"v1.{visitor.visitor_id}.{'m' * 43}",
            STATE_COOKIE: self.state_cookie(visitor, region=region, lives=lives),
        }

    def state_cookie(
        self,
        visitor: FakeVisitor,
        *,
        region: str | None = None,
        signals: Signals = NO_SIGNALS,
        lives: float = 900,
        claims: Mapping[str, object] | None = None,
    ) -> str:
        """Sign the state of a visitor; `claims` replace those that would be right."""
        judgement = self.judgement(visitor, signals, region)
        vector = "".join("1" if judgement.category(category).allow else "0" for category in CATEGORIES)
        now = time.time()
        right: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.rules.site,
            "sub": visitor.visitor_id,
            "iat": int(now),
            "exp": int(now + lives),
            "pv": self.rules.policy_version,
            "rev": visitor.revision,
            "cat": vector,
            "dnt": signals.dnt or visitor.dnt,
            "gpc": signals.gpc or visitor.gpc,
            "sso": visitor.opted_out or judgement.gpc_effective,
            "rg": judgement.regime,
        }
        header = _encode(json.dumps({"alg": "EdDSA", "kid": self._key_id, "typ": "JWT"}).encode())
        signed = f"{header}.{_encode(json.dumps({**right, **(claims or {})}).encode())}"
        return f"{vector}.{signed}.{_encode(self._signing_key.sign(signed.encode()))}"

    def client(self, **options: object) -> ConsentClient:
        """Give a client of this authority, with no network between; a busy machine has five seconds for an answer."""
        options.setdefault("timeout", 5.0)
        transport = httpx.MockTransport(self._respond)
        return ConsentClient("https://consent.test", self.key, transport=transport, **options)  # type: ignore[arg-type]

    def async_client(self, **options: object) -> AsyncConsentClient:
        """Give an asynchronous client of this authority, like `client`."""
        options.setdefault("timeout", 5.0)
        transport = httpx.MockTransport(self._respond)
        return AsyncConsentClient("https://consent.test", self.key, transport=transport, **options)  # type: ignore[arg-type]

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve it over HTTP on the loopback interface, and give the address."""
        from consent_client.testing.server import serving  # noqa: PLC0415 - sockets only for those who ask

        with serving(self) as address:
            yield address

    # What the endpoints answer from.

    def judgement(self, visitor: FakeVisitor, signals: Signals, region: str | None) -> Judgement:
        """Put together what the answers about a visitor depend on."""
        gpc = signals.gpc or visitor.gpc
        return Judgement(
            visitor=visitor,
            signals=signals,
            region=region,
            regime=self.rules.regime(region),
            gpc_effective=gpc and self.rules.gpc_honored(region),
            needs={name: entry.get("needs", {}) for name, entry in self.categories.items()},  # type: ignore[misc]
            table=parse_table(self.table()),
            reasons=self._reasons,
        )

    def known(self, visitor_id: object) -> FakeVisitor:
        """Give a visitor; one never minted is answered like a new one."""
        return self.visitors.get(str(visitor_id)) or FakeVisitor(NOBODY)

    def table(self) -> dict[str, object]:
        """Give the tracker table as the service writes it."""
        rules = self.rules
        return {
            "site": rules.site,
            "policy_version": rules.policy_version,
            "dnt_mode": rules.dnt_mode,
            "gpc_mode": rules.gpc_mode,
            "cookie_cap": "P400D",
            "categories": self.categories,
            "trackers": self.trackers,
        }

    def jwks(self) -> dict[str, object]:
        """Give the key set."""
        public = self._signing_key.public_key().public_bytes_raw()
        key = {"kty": "OKP", "crv": "Ed25519", "kid": self._key_id, "use": "sig", "alg": "EdDSA", "x": _encode(public)}
        return {"keys": [key if self.log_key is None else {**key, "vkey": self.log_key}]}

    def rotate_key(self) -> None:
        """Sign with a new key from now on, and publish only that one."""
        self._signing_key, self._key_id = Ed25519PrivateKey.generate(), secrets.token_urlsafe(8)

    def _respond(self, request: "httpx.Request") -> "httpx.Response":
        from consent_client.testing.endpoints import answer  # noqa: PLC0415 - the two know each other

        if self.away:
            raise httpx.ConnectError("the fake authority is away", request=request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, fields, body = answer(self, request.method, request.url.path, headers, request.read())
        return httpx.Response(status, headers=fields, content=body)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
