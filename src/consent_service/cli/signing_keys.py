"""`signing-keys list | rotate`."""

from datetime import timedelta

import click

from consent_service.cli.root import settings
from consent_service.main import utc_now
from consent_service.storage.keyring import TOKEN, Keyring


def register(cli: click.Group) -> None:
    """Add the commands."""
    cli.add_command(signing_keys)


@click.group(name="signing-keys")
def signing_keys() -> None:
    """List and rotate the Ed25519 keys that sign `consent_state` tokens."""


@signing_keys.command(name="list")
def list_keys() -> None:
    """List the keys, oldest first; the last whose time has come signs."""
    for key in Keyring(settings().keys_dir).all(TOKEN):
        click.echo(f"{key.kid}  from {key.not_before:%Y-%m-%dT%H:%M:%SZ}")


@signing_keys.command()
def rotate() -> None:
    """Make a new key: published at once, signing once every cached key set is out of date."""
    known = settings()
    keyring = Keyring(known.keys_dir)
    now = utc_now()
    keyring.current(TOKEN, "", now)
    key = keyring.add(TOKEN, "", now + timedelta(seconds=known.jwks_max_age))
    click.echo(f"{key.kid} signs from {key.not_before:%Y-%m-%dT%H:%M:%SZ}")
