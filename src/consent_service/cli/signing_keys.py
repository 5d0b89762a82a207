"""`signing-keys list | rotate`."""

from datetime import timedelta

import click

from consent_service.cli.root import settings
from consent_service.storage.keyring import LOG, TOKEN, Keyring
from consent_service.system import utc_now


def register(cli: click.Group) -> None:
    """Add the commands."""
    cli.add_command(signing_keys)


@click.group(name="signing-keys")
def signing_keys() -> None:
    """List and rotate the Ed25519 keys: those that sign `consent_state` tokens, and those that sign checkpoints."""


@signing_keys.command(name="list")
def list_keys() -> None:
    """List the keys, oldest first; of each kind the last whose time has come signs, and none is ever removed."""
    keyring = Keyring(settings().keys_dir)
    for key in (*keyring.all(TOKEN), *keyring.all(LOG)):
        what = f"log of {key.site}" if key.purpose == LOG else "tokens"
        click.echo(f"{key.kid}  from {key.not_before:%Y-%m-%dT%H:%M:%SZ}  {what}")


@signing_keys.command()
@click.option("--log", is_flag=True, help="The key that signs a site's checkpoints, not the one that signs tokens.")
@click.option("--site", default="default", show_default=True, help="With --log: the site whose log it is.")
def rotate(site: str, *, log: bool) -> None:
    """Make a new key: published at once, signing once every cached key set is out of date."""
    known = settings()
    keyring = Keyring(known.keys_dir)
    now = utc_now()
    purpose, owner, what = (LOG, site, f"checkpoints of {site} ") if log else (TOKEN, "", "")
    keyring.current(purpose, owner, now)
    key = keyring.add(purpose, owner, now + timedelta(seconds=known.jwks_max_age))
    click.echo(f"{key.kid} signs {what}from {key.not_before:%Y-%m-%dT%H:%M:%SZ}")
