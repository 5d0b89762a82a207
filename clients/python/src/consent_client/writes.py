"""Everything but decisions, as flows: reading consent, recording and withdrawing it, accounts, outputs."""

from collections.abc import Mapping

from consent_client.core import Core, visitor_path
from consent_client.errors import Unavailable
from consent_client.exchange import Flow

Answer = dict[str, object]


def consent(core: Core, visitor_id: str) -> Flow[Answer]:
    """Read the visitor's consent."""
    return core.request("GET", visitor_path(visitor_id, "consent"))


def new_visitor(core: Core) -> Flow[str]:
    """Mint a visitor."""
    answer = yield from core.request("POST", "/v1/visitors", {})
    visitor_id = answer.get("visitor_id")
    if not isinstance(visitor_id, str):
        raise Unavailable("the service answered without a visitor id")
    return visitor_id


def record(core: Core, visitor_id: str, submission: Mapping[str, object], policy_version: str | None) -> Flow[Answer]:
    """Record a choice under a policy version, the one in force where none is named."""
    version = policy_version
    if version is None:
        table = yield from core.current_table()
        if table is None:
            raise Unavailable("the policy version in force is not known, and the service does not tell")
        version = table.policy_version
    body = {"policy_version": version, **{name: value for name, value in submission.items() if value is not None}}
    return (yield from core.request("PUT", visitor_path(visitor_id, "consent"), body))


def withdraw(core: Core, visitor_id: str) -> Flow[Answer]:
    """Withdraw everything."""
    return core.request("DELETE", visitor_path(visitor_id, "consent"))


def link_account(core: Core, visitor_id: str, account_ref: str) -> Flow[Answer]:
    """Log in."""
    return core.request("PUT", visitor_path(visitor_id, "account"), {"account_ref": account_ref})


def unlink_account(core: Core, visitor_id: str) -> Flow[Answer]:
    """Log out."""
    return core.request("DELETE", visitor_path(visitor_id, "account"))


def output(core: Core, visitor_id: str, format_name: str, region: str | None) -> Flow[Answer]:
    """Read the consent in a platform's words."""
    params = {} if region is None else {"region": region}
    return core.request("GET", visitor_path(visitor_id, f"outputs/{format_name}"), **params)


def withdrawal_link(core: Core, visitor_id: str) -> Flow[Answer]:
    """Read the link with which a mail's reader withdraws."""
    return core.request("GET", visitor_path(visitor_id, "withdrawal-link"))
