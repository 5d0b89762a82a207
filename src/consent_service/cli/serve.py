"""`serve` and `migrate`."""

import click

from consent_service import logs
from consent_service.api.metrics_board import MetricsBoard
from consent_service.cli.root import settings
from consent_service.domain.errors import StoreUnavailable
from consent_service.main import create_app
from consent_service.server import serve as serve_app
from consent_service.storage.migrate import SchemaState, upgrade
from consent_service.stores import sqlite_path


def register(cli: click.Group) -> None:
    """Add the commands."""
    cli.add_command(serve)
    cli.add_command(migrate)


@click.command()
def migrate() -> None:
    """Bring the database up to date; waits while another process does."""
    state = upgrade(settings().database_url)
    click.echo(
        "already up to date" if state in {SchemaState.CURRENT, SchemaState.AHEAD} else "the database is up to date now"
    )


@click.command()
@click.option("--host", help="Address to listen on; CONSENT_HOST where not given.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on; CONSENT_PORT where not given.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes; more than one needs PostgreSQL.",
)
def serve(host: str | None, port: int | None, workers: int) -> None:
    """Serve. Brings the database up to date first; needs no setting at all."""
    known = settings()
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    known = known.model_copy(update=changes)
    if workers > 1 and sqlite_path(known) is not None:
        raise StoreUnavailable("SQLite has one writer, so it serves from one process; use PostgreSQL for --workers.")
    logs.configure(readable=known.dev)
    upgrade(known.database_url)
    board = MetricsBoard(workers) if workers > 1 else None
    serve_app(lambda: create_app(known, board=board), host=known.host, port=known.port, workers=workers)
