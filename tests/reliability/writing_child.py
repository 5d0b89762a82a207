"""A process that writes without end and prints every acknowledged place in the log; somebody else kills it."""

import asyncio
import sys
from pathlib import Path

from consent_service.service.identity import Identity
from consent_service.storage.batch import Secrets
from consent_service.storage.keyring import Keyring
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore
from tests.storage.changes import answering, visitor


def open_store(url: str, keys: Path) -> SqliteStore | PostgresStore:
    """Open the store that a URL names."""
    made_with = Secrets(Identity(Keyring(keys).mac).pseudonym, lambda: b"s" * 32)
    if url.startswith("sqlite:///"):
        return SqliteStore(Path(url.removeprefix("sqlite:///")), made_with)
    return PostgresStore(url, made_with)


async def write_without_end(url: str, keys: Path, offset: int) -> None:
    """Keep eight writers busy."""
    store = open_store(url, keys)
    await store.start()

    async def one(lane: int) -> None:
        number = 0
        while True:
            who = visitor(offset + lane * 100_000 + number)
            committed = await store.writer.submit(answering(who))
            sys.stdout.write(f"{committed.entries[0].seq} {who}\n")
            sys.stdout.flush()
            number += 1

    await asyncio.gather(*(one(lane) for lane in range(8)))


if __name__ == "__main__":
    asyncio.run(write_without_end(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
