"""`erase` at the terminal."""

import secrets

import pytest

from tests.cli.installation import Installation
from tests.support.service import Running


@pytest.mark.parametrize("beginning", ["-", "--", "-h", "A"])
def test_a_visitor_is_erased_whatever_the_id_begins_with(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, beginning: str
) -> None:
    """IDN-09: an id is URL-safe base64 and may look like an option."""
    visitor = beginning + secrets.token_urlsafe(16)[len(beginning) :]
    monkeypatch.setattr("consent_service.service.consents.new_visitor_id", lambda: visitor)

    async def mint(service: Running) -> None:
        async with service.shop() as shop:
            assert (await shop.post("/v1/visitors")).json() == {"visitor_id": visitor}

    installation.serve(mint)
    found = installation.run("erase", "--site", "default", visitor)
    assert (found.exit_code, found.stdout[:6]) == (0, "erased")


def test_an_option_that_there_is_not_is_still_refused(installation: Installation) -> None:
    assert installation.run("erase", "--everything", "A" * 22).exit_code == 2
