"""Just enough of a Dockerfile's grammar to check ours and to carry out its steps without a Docker engine."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Instruction:
    """One instruction with its continued lines joined, in the stage (counted from 0) that it belongs to."""

    stage: int
    word: str
    rest: str

    @property
    def command(self) -> list[str]:
        """The program and its arguments, of a CMD or HEALTHCHECK in JSON form."""
        found: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return found

    @property
    def variables(self) -> dict[str, str]:
        """The names and values that an ENV sets."""
        return dict(part.split("=", 1) for part in self.rest.split())


def instructions() -> list[Instruction]:
    """Read the repository's Dockerfile."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    found: list[Instruction] = []
    stage = -1
    for word, _, rest in (line.partition(" ") for line in lines if line):
        stage += word == "FROM"
        found.append(Instruction(stage, word, rest))
    return found


def only(word: str) -> Instruction:
    """Return the one instruction of the last stage that begins with `word`."""
    last = instructions()[-1].stage
    (found,) = (one for one in instructions() if one.word == word and one.stage == last)
    return found


def copy_context(target: Path) -> None:
    """Copy what .dockerignore lets into the image, which names what may enter rather than what may not."""
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if line.startswith("!"):
            copy(ROOT / line.removeprefix("!"), target)


def copy(source: Path, target: Path) -> None:
    """Copy a file or a directory into the directory `target`."""
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target / source.name, ignore=ignored, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)
