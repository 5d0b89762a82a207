"""The built files are those of the sources, and small (quality.md P10)."""

import gzip
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from consent_service.domain.policy_rules import NOTICE_TEXTS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "clients" / "browser"
SERVED = ROOT / "src" / "consent_service" / "web"
KIB = 1024
LANGUAGES = set("bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv zh ar ja".split())


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("browser_build", SOURCES / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def zipped(*names: str) -> int:
    """Return the bytes that these files take on the way, each compressed as a server would."""
    return sum(len(gzip.compress((SERVED / name).read_bytes(), 9)) for name in names)


def test_the_committed_files_are_those_that_the_sources_build(build: ModuleType) -> None:
    built = build.outputs()
    assert [path.name for path, text in built.items() if path.read_text("utf-8") != text] == []


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_the_build_is_the_same_in_every_run(seed: str) -> None:
    """An integrity value stands for these very bytes, whoever builds them."""
    command = [sys.executable, SOURCES / "build.py", "--check"]
    environment = os.environ | {"PYTHONHASHSEED": seed}
    run = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout) == (0, "all current\n")


@pytest.mark.parametrize("name", ["choices.js", "choices.mjs"])
def test_the_script_with_the_first_layer_stays_within_eight_kibibytes(name: str) -> None:
    assert zipped(name) <= 8 * KIB


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_everything_together_stays_within_twelve_kibibytes_in_every_language(language: str) -> None:
    assert zipped("choices.js", "centre.css", f"words/{language}.json") <= 12 * KIB


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_words_of_a_language_stay_within_one_kibibyte(language: str) -> None:
    assert zipped(f"words/{language}.json") <= KIB


def test_the_interface_speaks_the_languages_of_the_union_and_three_more() -> None:
    assert {path.stem for path in (SERVED / "words").glob("*.json")} == LANGUAGES


@pytest.mark.parametrize("language", sorted(LANGUAGES - {"en"}))
def test_every_language_has_every_word(language: str) -> None:
    words = json.loads((SOURCES / "words" / f"{language}.json").read_text("utf-8"))
    english = json.loads((SOURCES / "words" / "en.json").read_text("utf-8"))
    assert words.keys() == english.keys()
    assert all(words.values())


def test_every_word_that_the_sources_ask_for_exists() -> None:
    text = "\n".join(path.read_text("utf-8") for path in (SOURCES / "src").glob("*.js"))
    asked = set(re.findall(r'\b(?:word|fact)\("(\w+)"', text))
    ours = json.loads((SOURCES / "words" / "en.json").read_text("utf-8")).keys()
    assert asked <= ours | set(NOTICE_TEXTS)


@pytest.mark.parametrize("name", ["choices.js", "choices.mjs"])
@pytest.mark.parametrize("page", ["README.md", "clients/browser/README.md", "docs/banner.md"])
def test_the_documents_tell_the_integrity_of_the_committed_file(build: ModuleType, name: str, page: str) -> None:
    assert build.integrity((SERVED / name).read_text("utf-8")) in (ROOT / page).read_text("utf-8")


@pytest.mark.parametrize(
    "forbidden", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
)
def test_the_script_has_no_way_to_read_text_as_markup_or_code(forbidden: str) -> None:
    assert forbidden not in (SERVED / "choices.js").read_text("utf-8")


def test_a_name_declared_twice_stops_the_build(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "look.css").write_text("")
    (tmp_path / "src" / "a.js").write_text("const same = 1;\n")
    (tmp_path / "src" / "b.js").write_text("export const same = 2;\n")
    monkeypatch.setattr(build, "HERE", tmp_path)
    with pytest.raises(build.BuildError, match="both declare same"):
        build.join_modules()
