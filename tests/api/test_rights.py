"""A person's rights (GDPR Art. 15 to 21), each by the visitor's own cookie and by the shop with a `manage` key."""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from consent_service.domain.evidence.canonical import canonical_json
from consent_service.domain.evidence.leaf import commit, leaf_hash, parse_leaf
from consent_service.domain.evidence.proofs import verify_inclusion
from consent_service.domain.vocabulary import Scope
from tests.support.builders import VERSION
from tests.support.service import STRANGER, Running, choices, code, submission


@dataclass
class Person:
    """A visitor, as the one who asks: by the browser's cookie or through the shop."""

    caller: httpx.AsyncClient
    base: str
    service: Running

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask for one of the rights; `path` is what both planes have in common."""
        return await self.caller.request(method, f"{self.base}{path}", **request)


By = Callable[[httpx.AsyncClient, httpx.AsyncClient, str], tuple[httpx.AsyncClient, str]]
WAYS: dict[str, By] = {
    "cookie": lambda browser, _, __: (browser, "/v1/consent"),
    "manage key": lambda _, shop, visitor: (shop, f"/v1/visitors/{visitor}"),
}


@pytest.fixture(params=WAYS)
def person(
    request: pytest.FixtureRequest, service: Running, browser: httpx.AsyncClient, shop: httpx.AsyncClient, visitor: str
) -> Person:
    """Ask in both ways about a visitor who accepted everything."""
    return Person(*WAYS[request.param](browser, shop, visitor), service)


async def test_access_and_portability_give_everything_that_is_held(person: Person, visitor: str) -> None:
    """GDPR Art. 15, 20; IDN-09: the export holds all events."""
    export = (await person.ask("GET", "/export")).json()
    assert export["consent"]["visitor_id"] == visitor
    assert [event["event_type"] for event in export["events"]] == ["given"]
    assert set(export["settings"]) >= {"age_band", "restricted", "objections", "opted_out", "account_linked"}


async def test_restriction_denies_what_is_not_exempt_and_can_be_lifted(person: Person) -> None:
    """GDPR Art. 18."""
    answer = await person.ask("PUT", "/restriction", json={"restricted": True})
    assert answer.json()["categories"]["advertising"]["reason"] == "restricted"
    answer = await person.ask("PUT", "/restriction", json={"restricted": False})
    assert answer.json()["categories"]["advertising"]["reason"] == "granted"


async def test_objection_denies_the_category(person: Person) -> None:
    """GDPR Art. 21."""
    answer = await person.ask("PUT", "/objections", json={"categories": ["advertising"]})
    categories = answer.json()["categories"]
    assert (categories["advertising"]["reason"], categories["functionality"]["reason"]) == ("objected", "granted")


async def test_rectification_replaces_the_choice_and_keeps_the_history(person: Person) -> None:
    """GDPR Art. 16, CON-13: what was said before stays lawful and on record."""
    path = "" if person.base == "/v1/consent" else "/consent"
    body = submission("custom", choices=choices("functionality"))
    assert (await person.ask("PUT", path, json=body)).status_code == 200
    history = (await person.ask("GET", "/history")).json()["events"]
    assert [event["event_type"] for event in history] == ["given", "changed"]


async def test_deletion_removes_the_person_and_keeps_the_proofs(person: Person, shop: httpx.AsyncClient) -> None:
    """GDPR Art. 17, IDN-09: 404 everywhere; the entry still has its proof."""
    path = "/data" if person.base == "/v1/consent" else ""
    cookies = httpx.Cookies(person.caller.cookies)
    assert (await person.ask("DELETE", path)).status_code == 204
    person.caller.cookies = cookies
    gone = [(await person.ask("GET", f"/{what}")).status_code for what in ("history", "receipt", "export", "proof")]
    assert gone == [404] * 4
    erased, erasure = (await shop.get("/v1/evidence/events")).json()["events"]
    assert (erased["payload"], erasure["payload"]["erased_seqs"]) == (None, "0")
    proof = (await shop.get("/v1/evidence/proof/inclusion?seq=0")).json()
    assert proves(proof, erased["leaf"])


async def test_no_import_brings_an_erased_visitor_back(shop: httpx.AsyncClient, visitor: str) -> None:
    """CON-20: the shop's own copy of an old grant is refused for a visitor that the service no longer knows."""
    await shop.delete(f"/v1/visitors/{visitor}")
    old = submission(method="import", decided_at="2026-11-23T09:00:00Z")
    answer = await shop.put(f"/v1/visitors/{visitor}/consent", json=old)
    assert answer.status_code == 404
    assert (await shop.get(f"/v1/visitors/{visitor}/consent")).status_code == 404


async def test_no_import_raises_what_was_withdrawn(shop: httpx.AsyncClient, visitor: str) -> None:
    """CON-20: grant, withdraw, import the old grant: it stays withdrawn."""
    await shop.delete(f"/v1/visitors/{visitor}/consent")
    old = submission(method="import", decided_at="2026-11-23T09:00:00Z")
    assert code(await shop.put(f"/v1/visitors/{visitor}/consent", json=old)) == "import-outdated"
    newest = submission(method="import")
    answer = await shop.put(f"/v1/visitors/{visitor}/consent", json=newest)
    assert answer.json()["categories"]["advertising"]["reason"] == "withdrawn"


def proves(proof: dict[str, Any], leaf: str) -> bool:
    """Check an inclusion proof against the leaf."""
    hashes = [b64decode(node) for node in proof["hashes"]]
    return verify_inclusion(
        leaf_hash(b64decode(leaf)), proof["seq"], proof["size"], hashes, b64decode(proof["root_hash"])
    )


async def test_one_call_says_who_when_what_was_shown_how_and_whether_it_was_withdrawn(
    person: Person, visitor: str, shop: httpx.AsyncClient
) -> None:
    """EVD-11, GDPR Art. 7(1): the ICO's five questions; EVD-03: text and policy lead to their hashes."""
    proof = (await person.ask("GET", "/proof")).json()
    shown = proof["shown"]
    policy = await shop.get(f"/v1/policies/{shown['policy_version']}")
    assert proof["who"] == {"visitor_id": visitor, "site": "default", "controller": "Shop Ltd."}
    assert proof["when"] == "2026-11-24T09:00:00.000000Z"
    assert (shown["policy_version"], shown["locale"]) == (VERSION, "en")
    assert sha256(policy.content).hexdigest() == shown["policy_sha256"]
    assert sha256(canonical_json(shown["texts"])).hexdigest() == shown["notice_sha256"]
    assert (proof["how"]["method"], proof["how"]["choices"]["advertising"]) == ("banner", True)
    assert proof["withdrawn"] is None


async def test_the_proof_holds_its_entry_and_leads_to_the_root(person: Person) -> None:
    """EVD-02: what is said is what the leaf commits to, and the leaf is in the log."""
    proof = (await person.ask("GET", "/proof")).json()
    (event,) = proof["events"]
    leaf = parse_leaf(b64decode(event["leaf"]))
    assert commit(b64decode(event["salt"]), canonical_json(event["payload"])) == leaf.commitment
    assert event["payload"]["choices"] == proof["how"]["choices"]
    assert proves(proof, event["leaf"])


async def test_a_withdrawn_consent_is_proved_with_its_end(person: Person, shop: httpx.AsyncClient) -> None:
    """EVD-11, CON-13: given then, withdrawn since; both moments are on record."""
    person.service.clock.forward(timedelta(hours=1))
    await person.ask("DELETE", "" if person.base == "/v1/consent" else "/consent")
    proof = (await person.ask("GET", "/proof")).json()
    assert (proof["when"], proof["seq"]) == ("2026-11-24T09:00:00.000000Z", 0)
    assert proof["withdrawn"] == {"at": "2026-11-24T10:00:00.000000Z", "seq": 1}


async def test_a_consent_that_was_given_again_is_proved_anew(person: Person) -> None:
    path = "" if person.base == "/v1/consent" else "/consent"
    for body in (submission("reject_all"), submission()):
        await person.ask("PUT", path, json=body)
    proof = (await person.ask("GET", "/proof")).json()
    assert (proof["seq"], proof["withdrawn"]) == (2, None)


async def test_a_proof_can_be_had_for_an_older_size_of_the_log(person: Person) -> None:
    """So that it fits a checkpoint that was kept."""
    await person.ask("PUT", "" if person.base == "/v1/consent" else "/consent", json=submission("reject_all"))
    assert (await person.ask("GET", "/proof?size=1")).json()["size"] == 1
    assert code(await person.ask("GET", "/proof?size=9")) == "out-of-range"


async def test_who_has_chosen_nothing_has_no_proof(shop: httpx.AsyncClient) -> None:
    minted = (await shop.post("/v1/visitors")).json()["visitor_id"]
    assert (await shop.get(f"/v1/visitors/{minted}/proof")).status_code == 404
    assert (await shop.get(f"/v1/visitors/{STRANGER}/proof")).status_code == 404


async def test_a_stranger_can_neither_restrict_nor_object(browser: httpx.AsyncClient) -> None:
    answers = [
        await browser.put("/v1/consent/restriction", json={"restricted": True}),
        await browser.put("/v1/consent/objections", json={"categories": []}),
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert not browser.cookies


async def test_another_page_can_do_neither(service: Running, browser: httpx.AsyncClient, visitor: str) -> None:
    """C5: the cookie alone is not enough."""
    answer = await browser.put(
        "/v1/consent/restriction", json={"restricted": True}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403


async def test_other_scopes_have_no_proof_of_a_person(service: Running, visitor: str) -> None:
    """C3."""
    async with service.client({"Authorization": f"Bearer {await service.key(Scope.DECIDE)}"}) as decider:
        assert (await decider.get(f"/v1/visitors/{visitor}/proof")).status_code == 403
