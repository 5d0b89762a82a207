"""The container image: what its Dockerfile says, and its steps carried out in an empty place without a Docker engine.

Left to an engine: the base image, the account it makes, and the mounting of its volume and of a read-only root.
"""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.toolchain.dockerfile import ROOT, copy, copy_context, instructions, only

BUILD_STAGE = [one for one in instructions() if one.stage == 0]
# How to reach a package index from here is the machine's business; everything else of the environment stays out.
PASSED_ON = re.compile(r"PIP_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY")


def test_every_base_image_names_its_version() -> None:
    bases = [one.rest.split()[0] for one in instructions() if one.word == "FROM"]
    assert [base for base in bases if not re.fullmatch(r"python:3\.\d+-slim(-\w+)?", base)] == []


def test_the_image_runs_as_an_account_without_rights_known_by_number() -> None:
    assert int(only("USER").rest) >= 10_000


def test_the_image_holds_no_secret() -> None:
    words = [one.rest for one in instructions() if one.word in {"ENV", "ARG"}]
    assert [word for word in words if re.search(r"KEY|SECRET|TOKEN|PASSWORD", word, re.IGNORECASE)] == []


@pytest.mark.parametrize("name", [".git", ".env", "var", ".venv", "tests", "signing.pem"])
def test_only_what_is_named_enters_the_image(name: str) -> None:
    allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert allowed[0] == "*"
    assert f"!{name}" not in allowed


def test_nothing_is_installed_without_its_hash_but_our_own_wheel() -> None:
    installs = re.findall(r"pip (?:--python \S+ )?install [^&]*", " ".join(one.rest for one in instructions()))
    assert len(installs) == 3
    assert [one for one in installs if "--require-hashes" not in one and "--no-index --no-deps" not in one] == []


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Carry out the first stage below a directory that stands for the root, with an empty home."""
    root = tmp_path_factory.mktemp("image")
    workplace = root / "build"
    workplace.mkdir()
    (root / "data").mkdir()
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(root / "home")}
    environment |= {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    environment["PIP_CACHE_DIR"] = subprocess.check_output(
        [sys.executable, "-m", "pip", "cache", "dir"], text=True
    ).strip()
    for one in BUILD_STAGE:
        if one.word == "RUN":
            run_below(root, one.rest, environment)
        elif one.rest == ". .":
            copy_context(workplace)
        elif one.word == "COPY":
            copy(ROOT / one.rest.split()[0], workplace)
    return root


def run_below(root: Path, line: str, environment: dict[str, str]) -> None:
    """Run a line with the root's directories moved, and with what `make test` has downloaded already; hashes still count."""
    moved = re.sub(r"(?<!\S)/(opt|build)/", f"{root}/\\1/", line.replace("--no-cache-dir ", ""))
    done = subprocess.run(
        ["/bin/sh", "-ec", moved], cwd=root / "build", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{moved}\n{done.stderr}"


def environment_of(image: Path) -> dict[str, str]:
    variables = only("ENV").variables
    path = variables["PATH"].replace("/opt/", f"{image}/opt/").replace("$PATH", "/usr/bin:/bin")
    return variables | {"PATH": path, "CONSENT_HOST": "127.0.0.1", "CONSENT_PORT": str(free_port())}


def files_below(directory: Path) -> set[Path]:
    return {path for path in directory.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_the_package_in_the_image_is_whole(image: Path) -> None:
    (package,) = (image / "opt").glob("consent-service/lib/python3.*/site-packages/consent_service")
    source = ROOT / "src" / "consent_service"
    expected = {path.relative_to(source) for path in files_below(source) if "__pycache__" not in path.parts}
    expected |= {Path("_policies", path.name) for path in (ROOT / "policies").glob("*.yaml")}
    expected |= {Path("_migrations", "versions", path.name) for path in (ROOT / "migrations/versions").glob("*.py")}
    assert expected - {path.relative_to(package) for path in files_below(package)} == set()


@pytest.mark.slow
def test_the_image_ships_no_installer_and_no_test_tools(image: Path) -> None:
    shipped = {path.name for path in (image / "opt/consent-service/bin").iterdir()}
    assert shipped.isdisjoint({"pip", "pip3", "pytest", "uv"})


@pytest.fixture
def served(image: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Start the image's CMD in its working directory, with its ENV and nothing else."""
    environment = environment_of(image)
    program = image / "opt/consent-service/bin" / only("CMD").command[0]
    service = subprocess.Popen([program, *only("CMD").command[1:]], env=environment, cwd=image / "data")
    wait_until_ready(service, f"http://127.0.0.1:{environment['CONSENT_PORT']}/readyz")
    yield service, environment
    service.kill()
    service.wait()


def wait_until_ready(service: "subprocess.Popen[bytes]", address: str) -> None:
    while service.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - loopback, made here
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"the image's command ended with {service.returncode}")


@pytest.mark.slow
def test_the_image_serves_is_found_healthy_and_ends_in_order(
    image: Path, served: tuple["subprocess.Popen[bytes]", dict[str, str]]
) -> None:
    service, environment = served
    program = image / "opt/consent-service/bin" / only("HEALTHCHECK").command[0]
    check = [str(program), *only("HEALTHCHECK").command[1:]]
    assert subprocess.run(check, env=environment, check=False).returncode == 0
    service.send_signal(signal.SIGTERM)
    assert service.wait(30) == 0
    assert subprocess.run(check, env=environment, check=False, capture_output=True).returncode != 0


@pytest.mark.slow
def test_the_image_writes_only_into_its_volume(image: Path) -> None:
    before = files_below(image / "opt")
    environment = environment_of(image)
    program = image / "opt/consent-service/bin/consent-service"
    subprocess.run([program, "migrate"], env=environment, cwd=image / "data", check=True, capture_output=True)
    assert files_below(image / "opt") == before
    assert files_below(image / "data")
