"""Wheel and sdist, each installed alone into an empty environment beside nothing but what they depend on."""

import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1]
PROGRAM = """
import sys
from importlib.resources import files
import consent_client, consent_client.asgi, consent_client.wsgi
from consent_client._http import httpx
assert not {"consent_service", "django", "flask", "pytest"} & set(sys.modules)
assert (files(consent_client) / "py.typed").is_file()
client = consent_client.ConsentClient("http://127.0.0.1:9", "key")
assert not client.decide("A" * 22, ["_ga"]).allows("_ga")
from consent_client.testing import FakeAuthority
authority = FakeAuthority()
visitor = authority.visitor_who_granted()
assert authority.client().from_state(authority.state_cookie(visitor)).allows("_ga")
print(httpx.__name__, "works alone")
"""


def run(*command: str | Path) -> str:
    """Run a command and give its output."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both distributions, with the build backend that is installed here."""
    target = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, PROJECT)
    return target


def requirements_of(name: str) -> set[str]:
    """Give the names of everything that a distribution needs here, and of what those need."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = distribution(waiting.pop())
        needed = [Requirement(text) for text in current.requires or ()]
        new = {n.name for n in needed if n.marker is None or n.marker.evaluate({"extra": ""})} - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("http", ["httpx", "httpx2"])
@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_it_installs_alone_and_works_with_either_http_library(
    built: Path, tmp_path: Path, kind: str, http: str
) -> None:
    [package] = built.glob(kind)
    venv.create(tmp_path / "empty", with_pip=False)
    site = next((tmp_path / "empty").glob("lib/python3*/site-packages"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run(*pip, "--disable-pip-version-check", "--target", site, package)
    for name in {http, "cryptography"} | requirements_of(http) | requirements_of("cryptography"):
        link(name, site)
    assert run(tmp_path / "empty" / "bin" / "python", "-I", "-c", PROGRAM).strip() == f"{http} works alone"


def link(name: str, site: Path) -> None:
    """Put an installed distribution into the environment, without asking an index for it."""
    for file in distribution(name).files or ():
        top = Path(file.parts[0])
        source, target = Path(str(distribution(name).locate_file(top))), site / top
        if ".." not in file.parts and source.exists() and not target.exists():
            target.symlink_to(source)
