"""Posting over the network: where to, how long, and what counts as taken. Traffic goes to loopback alone."""

import datetime as dt
import ssl
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from consent_service.outgoing import public_addresses
from consent_service.outgoing.public_addresses import _Guarded
from consent_service.outgoing.webhooks import Poster
from consent_service.service.webhook_delivery import DeliveryFailed
from tests.support.receiver import receiving

FIELDS = {"webhook-id": "an-id", "content-type": "application/json"}


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    """Post to loopback as well."""
    made = Poster(loopback=True)
    yield made
    await made.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """Answer name lookups from this table: for each name what its first, second … lookup gives."""
    table: dict[str, list[list[str]]] = {}

    async def addresses_of(host: str, port: int) -> list[str]:
        """Look a name up."""
        return table[host].pop(0)

    monkeypatch.setattr(public_addresses, "addresses_of", addresses_of)
    return table


async def failure(poster: Poster, url: str) -> str:
    """Post in vain; gives what the failure says."""
    with pytest.raises(DeliveryFailed) as failed:
        await poster(url, FIELDS, b"{}")
    return str(failed.value)


async def test_a_message_arrives_as_it_was_signed(poster: Poster) -> None:
    async with receiving() as receiver:
        await poster(receiver.url, FIELDS, b'{"a":1}')
        came = await receiver.next()
    assert (came.target, came.body) == ("/hooks/consent?shop=1", b'{"a":1}')
    assert came.headers["host"] == receiver.url.split("/")[2]
    assert came.headers | FIELDS == came.headers
    assert came.headers["user-agent"] == "consent-service"


@pytest.mark.parametrize(
    "status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "400 No", "410 Gone", "503 Away"]
)
async def test_only_a_2xx_is_taken_and_no_redirect_is_followed(poster: Poster, status: str) -> None:
    async with receiving() as elsewhere, receiving() as receiver:
        receiver.statuses = [f"{status}\r\nLocation: {elsewhere.url}"]
        assert await failure(poster, receiver.url) == f"status {status[:3]}"
        assert elsewhere.received.empty()


async def test_a_receiver_that_says_nothing_is_given_up_in_time(
    poster: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_addresses, "SECONDS", 0.2)
    async with receiving() as receiver:
        receiver.silent = True
        assert await failure(poster, receiver.url) == "timeout"


async def test_a_receiver_that_is_not_there_is_a_failure(poster: Poster) -> None:
    async with receiving() as receiver:
        url = receiver.url
    assert await failure(poster, url) == "connection"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "172.16.9.9",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address that must be refused
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
async def test_no_webhook_reaches_into_the_services_own_network(
    names: dict[str, list[list[str]]], address: str
) -> None:
    """The metadata service of a cloud, a database, a neighbour: by whatever name (OWASP ASVS 5.0, 1.3.6)."""
    names["inside.example"] = [[address], ["203.0.114.9", address]]
    poster = Poster()
    assert await failure(poster, "https://inside.example/") == "address not allowed"
    assert await failure(poster, "https://inside.example/") == "address not allowed"


async def test_the_address_that_was_checked_is_the_one_connected_to(
    poster: Poster, names: dict[str, list[list[str]]]
) -> None:
    """A name that is good at the first lookup and bad at the second gains nothing: there is no second."""
    async with receiving() as receiver:
        port = receiver.url.split(":")[2]
        names["rebound.example"] = [["127.0.0.1"], ["169.254.169.254"]]
        await poster(f"http://rebound.example:{port}", FIELDS, b"{}")
        await receiver.next()
    assert names["rebound.example"] == [["169.254.169.254"]]


def test_a_network_of_ones_own_can_be_opened() -> None:
    guard = _Guarded([ip_network("10.8.0.0/16"), ip_network("fd00:8::/32")], loopback=False)
    opened = [guard._allowed(address) for address in ("10.8.3.4", "fd00:8::1", "8.8.8.8", "2600::1")]
    closed = [guard._allowed(address) for address in ("10.9.0.1", "fd00:9::1", "127.0.0.1")]
    assert (opened, closed) == ([True] * 4, [False] * 3)


def authority(directory: Path, name: str) -> ssl.SSLContext:
    """Make a certificate for `name` that signs itself, in `directory`; gives what a server needs."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "key.pem").write_bytes(private)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (directory / "cert.pem").write_bytes(certificate)
    with (directory / "trusted.pem").open("ab") as trusted:
        trusted.write(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return context


@pytest.fixture
def servers(tmp_path: Path) -> dict[str, ssl.SSLContext]:
    """Make servers that prove to be these names, by an authority of the test's own."""
    return {name: authority(tmp_path, name) for name in ("localhost", "other.example")}


@pytest.fixture
async def trusting(
    servers: dict[str, ssl.SSLContext], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Poster]:
    """Post to loopback, and trust the authority of `servers`."""
    assert servers
    monkeypatch.setattr(public_addresses, "_tls", lambda: ssl.create_default_context(cafile=tmp_path / "trusted.pem"))
    made = Poster(loopback=True)
    yield made
    await made.close()


async def test_over_tls_the_name_is_proved_though_the_address_was_chosen_here(
    trusting: Poster, servers: dict[str, ssl.SSLContext]
) -> None:
    async with receiving(servers["localhost"]) as receiver:
        await trusting(receiver.url, FIELDS, b"{}")
        await receiver.next()


async def test_a_certificate_for_another_name_is_refused(trusting: Poster, servers: dict[str, ssl.SSLContext]) -> None:
    async with receiving(servers["other.example"]) as receiver:
        assert await failure(trusting, receiver.url) == "certificate"


async def test_a_certificate_of_nobody_is_refused(poster: Poster, servers: dict[str, ssl.SSLContext]) -> None:
    async with receiving(servers["localhost"]) as receiver:
        assert await failure(poster, receiver.url) == "certificate"


def test_addresses_of_documentation_are_not_public() -> None:
    """What the tests above call public must not be a documentation address, which is refused for another reason."""
    assert not ip_address("203.0.113.9").is_global
    assert ip_address("203.0.114.9").is_global
