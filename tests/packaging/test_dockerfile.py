"""The build commands of the Dockerfile, run in a clean environment: no Docker engine is needed to see that they work."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel by the Dockerfile's command."""
    target = tmp_path_factory.mktemp("dist")
    assert "python -m build --wheel --no-isolation" in DOCKERFILE
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (found,) = target.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel beside this environment's dependencies, away from the repository."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return target


@pytest.mark.parametrize(
    "name",
    ["_policies/storefront.yaml", "_migrations/env.py", "_migrations/versions/20261124_initial_schema.py", "py.typed"],
)
def test_what_the_service_needs_at_run_time_is_in_the_wheel(wheel: Path, name: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert f"consent_service/{name}" in archive.namelist()


def test_the_installed_package_migrates_and_shows_the_packaged_policy(installed: Path, tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(installed), "CONSENT_DATABASE_URL": f"sqlite:///{tmp_path / 'consent.db'}"}
    script = (
        "import consent_service.stores as m; from consent_service.cli import root;"
        "print(m.packaged('policies')); root.cli(['migrate'])"
    )
    command = [sys.executable, "-P", "-c", script]
    ran = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert str(installed) in ran.stdout
    assert "up to date now" in ran.stdout


@pytest.mark.parametrize(
    "pattern", [r"^USER (?!0|root)", r"^HEALTHCHECK ", r"^VOLUME /data", r"--require-hashes", r"^FROM \S+:3\.\d+-slim$"]
)
def test_the_image_is_built_from_hashes_and_runs_as_nobody_special(pattern: str) -> None:
    assert re.search(pattern, DOCKERFILE, re.MULTILINE)
