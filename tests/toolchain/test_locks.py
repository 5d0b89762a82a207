"""What is installed is pinned, hashed, and found through whatever package index the reader uses."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ["build", "dev", "runtime", "sbom"]
PIN = re.compile(r"([a-z0-9-]+)==([0-9][0-9a-z.+!]*)(?: ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def lines_of(lock: str) -> list[str]:
    return (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8").splitlines()


def pins_of(lock: str) -> set[tuple[str, str]]:
    return {(found[1], found[2]) for line in lines_of(lock) if (found := PIN.fullmatch(line))}


def asked_for(text: str) -> set[str]:
    requirements = re.findall(r"^[A-Za-z].*?(?=\s*(?:#|$))", text, re.MULTILINE)
    return {canonicalize_name(Requirement(one).name) for one in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_hashes_and_no_address(lock: str) -> None:
    strange = [line for line in lines_of(lock) if not PIN.fullmatch(line) and not HASH.fullmatch(line)]
    assert strange == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_has_a_hash(lock: str) -> None:
    text = "\n".join(lines_of(lock))
    assert len(re.findall(r"==[^\n]+ \\\n    --hash=sha256:", text)) == text.count("==") - text.count(" == '") > 0


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_was_asked_for(lock: str) -> None:
    asked = asked_for((ROOT / "requirements" / f"{lock}.in").read_text("utf-8"))
    assert asked <= {name for name, _ in pins_of(lock)}


@pytest.mark.parametrize("lock", ["build", "runtime"])
def test_tests_run_on_the_very_versions_that_are_shipped(lock: str) -> None:
    assert pins_of(lock) <= pins_of("dev")


def test_the_wheel_asks_for_what_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [Requirement(one) for one in project["dependencies"]]
    pinned = dict(pins_of("runtime"))
    assert {one.name for one in wanted} == asked_for((ROOT / "requirements" / "runtime.in").read_text("utf-8"))
    assert [one for one in wanted if pinned[canonicalize_name(one.name)] not in one.specifier] == []
