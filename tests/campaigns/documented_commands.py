"""The commands of docs/operations.md about backups, run as they stand there, with other directories in their place."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.campaigns.backup_machine import DrillFailed

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
_SETTING = re.compile(r"^(\w+) = (?:'(.*)'|(.*))$", re.MULTILINE)


def headings() -> list[str]:
    """List the sections of the chapter about backups."""
    chapter = PAGE.partition("\n## Backup and restore\n")[2].partition("\n## ")[0]
    return re.findall(r"^### (.+)$", chapter, re.MULTILINE)


def block(heading: str) -> str:
    """Give the block of code under a heading of the page."""
    section = PAGE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    found = re.search(r"^```\w+\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    if found is None:
        raise DrillFailed(f"docs/operations.md has nothing to run under {heading}")
    return found[1]


@dataclass(frozen=True)
class Commands:
    """A shell on a machine: where the page's `/backup` and `/restored` are there, its settings and its programs."""

    directory: Path
    backup: Path
    restored: Path
    programs: Path
    environment: Mapping[str, str]

    def settings(self, heading: str) -> dict[str, str]:
        """Read the settings of the server that the page gives."""
        return {name: quoted or plain for name, quoted, plain in _SETTING.findall(self._placed(heading))}

    def must(self, heading: str) -> None:
        """Run the commands under a heading, which must succeed, each of them."""
        status, said = self._run(heading)
        if status:
            raise DrillFailed(f"{heading!r} ended with {status}: {said}")

    def must_fail(self, heading: str, because: str) -> str:
        """Run the commands under a heading, which must fail and say why; gives the line that says it."""
        status, said = self._run(heading)
        line = next((line for line in said.splitlines() if because in line), None)
        if not status or line is None:
            raise DrillFailed(f"{heading!r} ended with {status} and does not speak of {because!r}: {said}")
        return line

    def _placed(self, heading: str) -> str:
        places = {"backup": str(self.backup), "restored": str(self.restored)}
        return re.sub(r"/(backup|restored)\b", lambda found: places[found[1]], block(heading))

    def _run(self, heading: str) -> tuple[int, str]:
        path = os.pathsep.join((str(self.programs), str(Path(sys.executable).parent), os.environ["PATH"]))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._placed(heading)],  # noqa: S607 - wherever the system has it
            env={**os.environ, **self.environment, "PATH": path}, cwd=self.directory,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr
