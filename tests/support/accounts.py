"""The account a server runs under when the tests run as root, which PostgreSQL refuses."""

import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Debian's own server account, the customary one of other systems, and one that exists everywhere.
_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """Whom a program runs as, in the words of `subprocess`: None stands for whoever runs the tests."""

    user: int | None
    group: int | None

    def take(self, path: Path) -> None:
        """Hand a file or directory over to the account."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def server_account() -> Account:
    """Choose an unprivileged account where the tests are run by root, and their own account otherwise."""
    if os.geteuid() != 0:
        return Account(None, None)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(known[name] for name in _CANDIDATES if name in known)
    return Account(entry.pw_uid, entry.pw_gid)


def temporary_directory(prefix: str, account: Account) -> Path:
    """Make a directory that the account owns and can walk to, even where TMPDIR lies in a home closed to others."""
    usual = Path(tempfile.gettempdir()).resolve()
    reachable = account.user is None or all(part.stat().st_mode & stat.S_IXOTH for part in (usual, *usual.parents))
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=usual if reachable else "/var/tmp"))  # mkdtemp names it
    account.take(made)
    return made
