"""`policy validate | publish | show | draft | diff | regimes`."""

import sys
from pathlib import Path
from typing import Any

import click
import yaml

from consent_service.cli.opened import migrated, opened
from consent_service.cli.root import run
from consent_service.domain.policy import Policy
from consent_service.domain.policy_changes import differences
from consent_service.domain.policy_document import read_policy
from consent_service.domain.regions import ANYWHERE, DEFAULT_AGES_OF_CONSENT, REGION_RULES
from consent_service.service.cookie_lists import draft, draft_document, summary
from consent_service.service.policies import check_document
from consent_service.service.policy_files import load_document

_File = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


def register(cli: click.Group) -> None:
    """Add the commands."""
    cli.add_command(policy)


@click.group()
def policy() -> None:
    """Check, publish and compare policy documents."""


@policy.command()
@click.argument("file", type=_File)
def validate(file: Path) -> None:
    """Check FILE; every fault is printed with its place."""
    found, _ = check_document(read(file))
    click.echo(f"{file}: valid; site {found.site}, version {found.version}, {len(found.trackers)} trackers")


@policy.command()
@click.argument("file", type=_File)
def publish(file: Path) -> None:
    """Publish FILE as a new version, for good."""
    document = read(file)
    migrated()

    async def work() -> str:
        async with opened() as services:
            stored = await services.publisher.publish(document)
            return f"published {stored.version} of site {stored.site}, sha256 {stored.sha256}"

    click.echo(run(work()))


@policy.command()
@click.argument("file", type=_File)
def show(file: Path) -> None:
    """Show what FILE says, in short."""
    found, _ = check_document(read(file))
    click.echo(f"site {found.site}, version {found.version}, in force from {found.effective_from:%Y-%m-%d %H:%M} UTC")
    click.echo(f"languages {', '.join(found.languages)}; DNT {found.dnt.value}, GPC {found.gpc.value}")
    for category, entry in found.categories.items():
        names = [t.name for t in found.trackers if t.category is category]
        click.echo(f"{category.value}: {entry.title[found.default_language]} ({len(names)})")
        click.echo("  " + (", ".join(names) or "none"))


@policy.command(name="draft")
@click.option(
    "--from-cookies", "csv_file", type=_File, required=True, help="Cookie list in the open cookie database's columns."
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the document here, not to standard output."
)
def draft_policy(csv_file: Path, output: Path | None) -> None:
    """Turn a cookie list into a policy document for a person to finish; says for every row what became of it."""
    with csv_file.open(encoding="utf-8-sig", newline="") as lines:
        found = draft(lines)
    for line in found.report:
        click.echo(line.text(), err=True)
    write(draft_document(found), output)
    counts = ", ".join(f"{count} {action.value}" for action, count in summary(found.report).items())
    click.echo(f"{len(found.report)} rows: {counts}", err=True)


@policy.command()
@click.argument("old", type=_File)
@click.argument("new", type=_File)
def diff(old: Path, new: Path) -> None:
    """Show what NEW changes in substance against OLD; `+` marks what goes further and asks visitors again."""
    found = differences(_policy(old), _policy(new))
    for item in found:
        click.echo(
            f"{'+' if item.widens else ' '} {item.subject}: {item.change}"
            + (f" -> {item.widens.value}" if item.widens else "")
        )
    if not found:
        click.echo("no difference in substance")


@policy.command()
def regimes() -> None:
    """Show the built-in tables of regions: regime, since when, and the source; and ages of consent."""
    for rule in REGION_RULES:
        gpc = "GPC" if rule.gpc_required else "   "
        click.echo(f"{rule.region:6} {rule.regime.value:8} {gpc} {rule.effective}  {rule.source}")
    click.echo("any other region, and an unknown one: opt_in")
    for age, codes in sorted(_by_age().items()):
        click.echo(f"age of consent {age}: {', '.join(codes)}")
    click.echo("source of the ages: GDPR Art. 8(1) and national law; COPPA (US); PIPL Art. 31 (CN)")
    click.echo("an unknown region: the highest of them")


def _by_age() -> dict[int, list[str]]:
    ages: dict[int, list[str]] = {}
    for code, age in DEFAULT_AGES_OF_CONSENT.items():
        ages.setdefault(age, []).append("any other region" if code == ANYWHERE else code)
    return ages


def read(file: Path) -> Any:
    """Read a document from a YAML or JSON file."""
    try:
        return load_document(file.read_text("utf-8"))
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} is not UTF-8 text") from None


def write(document: Any, output: Path | None) -> None:
    """Write a document as YAML, to a file or to standard output."""
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, "utf-8")


def _policy(file: Path) -> Policy:
    return read_policy(read(file))
