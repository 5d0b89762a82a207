"""Verifying a site's log as commands do it: against the kept checkpoints and those that are given."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent_service.api.services import Services
from consent_service.domain.evidence.checkpoint import CheckpointRefused, VerifierKey, verify_checkpoint
from consent_service.domain.evidence.verifier import KnownRoot
from consent_service.service.identity import Identity
from consent_service.storage.keyring import LOG, Keyring
from consent_service.storage.verification import log_length, verify_log
from consent_service.stores import read_database


async def verify_site(
    services: Services, keyring: Keyring, site: str, files: Sequence[Path] = (), since: Path | None = None
) -> tuple[int, str | None]:
    """Verify a log with a progress bar; gives the number of entries and what is wrong, if anything."""
    given = [(str(file), _read(file)) for file in files]
    stored = [
        (f"the stored checkpoint of size {c.size}", c.note.encode()) for c in await services.store.log.checkpoints(site)
    ]
    try:
        roots = [known_root(source, note, site, keyring) for source, note in (*given, *stored)]
        start = known_root(str(since), _read(since), site, keyring) if since else None
    except CheckpointRefused as error:
        return 0, str(error)
    length = await read_database(services.store, lambda connection: log_length(connection, site))
    length -= start.size if start else 0
    pseudonym = Identity(keyring.mac).pseudonym
    with click.progressbar(length=max(length, 0), label="verifying", file=sys.stderr) as bar:
        size, finding = await read_database(
            services.store, lambda connection: verify_log(connection, site, roots, pseudonym, bar.update, start)
        )
    return size, None if finding is None else str(finding)


def _read(file: Path) -> bytes:
    return file.read_bytes()


def known_root(source: str, note: bytes, site: str, keyring: Keyring) -> KnownRoot:
    """Read a checkpoint that one of the site's log keys signed, rotated ones included; raises CheckpointRefused."""
    # The origin is part of what was signed; the public address may have been another one when it was.
    origin = note.partition(b"\n")[0].decode("utf-8", "replace")
    if not origin.endswith(f"/evidence/{site}"):
        raise CheckpointRefused(f"{source}: it is not of the log of {site}")
    keys = [VerifierKey(origin, key.public_bytes) for key in keyring.all(LOG) if key.site == site]
    try:
        found = verify_checkpoint(note, keys, is_signed)
    except CheckpointRefused as error:
        raise CheckpointRefused(f"{source}: {error}") from error
    return KnownRoot(found.size, found.root, source)


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Check an Ed25519 signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
