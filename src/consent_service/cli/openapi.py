"""`openapi`: prints the document that is committed as openapi/openapi.json."""

import json

import click

from consent_service.api.documentation import openapi_document
from consent_service.config import Settings
from consent_service.main import create_app


def register(cli: click.Group) -> None:
    """Add the command."""
    cli.add_command(openapi)


@click.command()
def openapi() -> None:
    """Print the OpenAPI document; it depends on no setting."""
    document = openapi_document(create_app(Settings.model_construct()))
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True))
