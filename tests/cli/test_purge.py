"""`purge` at the terminal: what it says, its exit status, and that the log stays sound."""

from datetime import UTC, datetime, timedelta

import orjson

from consent_service.domain.durations import Duration
from tests.cli.installation import Installation
from tests.support.service import Running, submission

TODAY = datetime.now(UTC)
LONG_AGO = Duration(months=36).before(TODAY)
RECENTLY = TODAY - timedelta(days=2)


async def one_of_each(service: Running) -> None:
    """Let one visitor accept, one refuse twice, and one opt out of sale."""
    async with (
        service.browser() as first,
        service.browser() as second,
        service.browser() as third,
        service.shop() as shop,
    ):
        await first.put("/v1/consent", json=submission())
        await second.put("/v1/consent", json=submission("reject_all"))
        await second.put("/v1/consent", json=submission("reject_all"))
        visitor = (await third.put("/v1/consent", json=submission())).json()["visitor_id"]
        await shop.post(f"/v1/visitors/{visitor}/opt-out")


def kept(installation: Installation) -> list[str | None]:
    """Give the type of each entry of the log, None where its payload is gone."""
    lines = installation.run("evidence", "export").stdout.splitlines()
    return [orjson.loads(line).get("event_type") for line in lines]


def test_old_evidence_goes_and_what_still_speaks_stays(installation: Installation) -> None:
    """EVD-10."""
    installation.serve(one_of_each, LONG_AGO)
    done = installation.run("purge", "--older-than", "P24M")
    assert (done.exit_code, done.stdout) == (0, "purged 2 entries and 1 records of default\n")
    assert kept(installation) == [None, None, "refused", "given", "opt_out", "purged"]
    assert installation.run("evidence", "verify").exit_code == 0


def test_a_younger_opt_out_stays_and_the_command_names_the_floor(installation: Installation) -> None:
    """EVD-10, contract §6.1: exit status 1; everything else is done."""
    installation.serve(one_of_each, RECENTLY)
    done = installation.run("purge", "--older-than", "PT1S")
    assert done.exit_code == 1
    assert "1 opt-out entries older than PT1S stay: the floor for records of opt-outs is 24 months" in done.stderr
    assert kept(installation) == ["given", None, "refused", "given", "opt_out", "purged"]


def test_a_dry_run_says_the_same_and_removes_nothing(installation: Installation) -> None:
    installation.serve(one_of_each, RECENTLY)
    done = installation.run("purge", "--older-than", "PT1S", "--dry-run")
    assert (done.exit_code, done.stdout) == (1, "would purge 1 entries and 0 records of default\n")
    assert kept(installation) == ["given", "refused", "refused", "given", "opt_out"]


def test_without_a_limit_the_policy_says_what_has_been_kept_long_enough(installation: Installation) -> None:
    """rules.md §3.4: 36 months after the choice lapsed."""
    installation.serve(one_of_each, LONG_AGO)
    assert installation.run("purge").stdout == "purged 0 entries and 0 records of default\n"
    installation.serve(one_of_each, Duration(months=43).before(TODAY))
    assert installation.run("purge").stdout == "purged 2 entries and 1 records of default\n"


def test_a_limit_that_is_no_duration_is_refused(installation: Installation) -> None:
    done = installation.run("purge", "--older-than", "2 years")
    assert done.exit_code == 2
    assert "not an ISO 8601 duration" in done.stderr


def test_a_purged_visitor_is_a_stranger_again(installation: Installation) -> None:
    """The cookie of a purged visitor counts as none, and the next choice makes a new one."""
    browsers: list[dict[str, str]] = []

    async def accept(service: Running) -> None:
        async with service.browser() as browser:
            await browser.put("/v1/consent", json=submission())
            browsers.append(dict(browser.cookies))

    async def come_back(service: Running) -> None:
        async with service.browser() as browser:
            browser.cookies.update(browsers[0])
            assert (await browser.get("/v1/consent")).json()["visitor_id"] is None

    installation.serve(accept, LONG_AGO)
    installation.run("purge", "--older-than", "P24M")
    installation.serve(come_back)
