"""What a browser reveals about a person beside its choices is not kept (IDN-02; GDPR Art. 5(1)(c))."""

from pathlib import Path

from tests.support.service import Running, running, submission

ADDRESS_OF_THE_VISITOR = "198.51.100.77"
BEHIND_A_PROXY = "2001:db8:77:88::99"
USER_AGENT = "Mozilla/5.0 (CanaryOS 77) Canary/7788"


async def answer_and_withdraw(service: Running) -> str:
    """Do what a visitor does, from a known address with a known browser; gives the visitor's own export."""
    named = {"User-Agent": USER_AGENT, "X-Forwarded-For": BEHIND_A_PROXY, "Referer": "https://shop.example/?q=canary"}
    async with service.client(named, (ADDRESS_OF_THE_VISITOR, 40_000)) as browser:
        await browser.put("/v1/consent", json=submission())
        await browser.get("/v1/consent", headers={"Sec-GPC": "1", "DNT": "1", "ADPC": "withdraw=*"})
        await browser.delete("/v1/consent")
        return (await browser.get("/v1/consent/export")).text


def files_of(directory: Path) -> dict[str, bytes]:
    """Read the database with all that it keeps beside it."""
    return {path.name: path.read_bytes() for path in directory.glob("consent.db*")}


async def test_no_address_and_no_browser_s_name_is_stored(tmp_path: Path) -> None:
    """IDN-02: neither in what the visitor may have exported nor anywhere in the database's files."""
    async with running(tmp_path) as service:
        export = await answer_and_withdraw(service)
        files = files_of(tmp_path)

    assert "consent.db" in files
    for_sure = [len(export) > 1_000, sum(map(len, files.values())) > 20_000]
    found = [
        (name, canary)
        for name, content in {**files, "export": export.encode()}.items()
        for canary in (ADDRESS_OF_THE_VISITOR, BEHIND_A_PROXY, USER_AGENT, "CanaryOS", "q=canary")
        if canary.encode() in content
    ]
    assert (for_sure, found) == ([True, True], [])
