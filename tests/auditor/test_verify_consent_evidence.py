"""An auditor with nothing but files and one Python program proves what the log says, and is not taken in."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from consent_service.domain.evidence.canonical import canonical_json
from consent_service.domain.evidence.documents import export_document
from tests.auditor.evidence_files import (
    LOG,
    LOG_KEY,
    OTHER_VKEY,
    SIZE,
    VERIFIER,
    checkpoint,
    consistency,
    events,
    export_lines,
    inclusion,
    receipt,
    write_all,
)

PROGRAM = Path(__file__).parents[2] / "clients/auditor/verify_consent_evidence.py"
KEY = ("--vkey", VERIFIER.vkey)
CHECKPOINT = ("checkpoint", *KEY, "--checkpoint", "new.txt")
INCLUSION = ("inclusion", *KEY, "--checkpoint", "new.txt", "--proof", "proof.json", "--event", "event.json")
CONSISTENCY = ("consistency", *KEY, "--old", "old.txt", "--new", "new.txt", "--proof", "consistency.json")
EXPORT = ("export", *KEY, "--checkpoint", "new.txt", "--export", "export.jsonl")
RECEIPT = ("receipt", "--jwks", "jwks.json", "--receipt", "receipt.jws")
EVENT: dict[str, Any] = events()["events"][7]


@dataclass(frozen=True)
class Auditor:
    """Somebody with a folder of files."""

    folder: Path

    def put(self, name: str, content: object) -> None:
        """Replace a file."""
        text = content if isinstance(content, str) else json.dumps(content)
        (self.folder / name).write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run the program; gives exit status and output. It sees no package of the service's."""
        done = subprocess.run(
            [sys.executable, str(PROGRAM), *arguments],
            cwd=self.folder,
            env={"PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    """Give an auditor all files of an honest service."""
    write_all(tmp_path)
    return Auditor(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "proved"),
    [
        (CHECKPOINT, f"the log {VERIFIER.name} had 83 entries with root"),
        (("checkpoint", "--jwks", "jwks.json", "--checkpoint", "old.txt"), "had 50 entries"),
        (
            INCLUSION,
            "entry 7 of consent.shop.example/evidence/default, written 2026-11-22T09:00:07.123456Z, is exactly",
        ),
        ((*INCLUSION[:-1], "page.json"), "is exactly this event"),
        ((*INCLUSION[:-3], "erased-proof.json", "--event", "page.json"), "an entry whose content was erased"),
        (CONSISTENCY, "the first 50 entries of consent.shop.example/evidence/default are unchanged"),
        (EXPORT, "all 83 entries of consent.shop.example/evidence/default unchanged (2 without content)"),
        (("export", *KEY, "--checkpoint", "old.txt", "--export", "export.jsonl"), "all 50 entries"),
        (RECEIPT, 'the service signed this receipt: {"jti": "id"'),
    ],
)
def test_honest_evidence_is_proved(auditor: Auditor, arguments: tuple[str, ...], proved: str) -> None:
    """EVD-02, EVD-12."""
    status, output = auditor.run(*arguments)

    assert (status, output.count("\n")) == (0, 1)
    assert output.startswith("PROVED: ")
    assert proved in output


def changed(document: dict[str, Any], **members: object) -> dict[str, Any]:
    """Give a document with other members."""
    return {**document, **members}


def rewritten_export() -> str:
    """Forge an export whose rows fit together among themselves: it is the checkpoint that they cannot fit."""
    row = replace(LOG.rows[9], pseudonym=bytes(32))
    return "\n".join([*export_lines()[:9], json.dumps(export_document(row)), *export_lines()[10:]])


FORGED_PAYLOAD = {**EVENT["payload"], "choices": {"advertising": False}}
FORGERIES: dict[str, tuple[tuple[str, ...], str, Callable[[], object]]] = {
    "another size": (CHECKPOINT, "new.txt", lambda: checkpoint(SIZE).replace("\n83\n", "\n84\n")),
    "no signature": (CHECKPOINT, "new.txt", lambda: checkpoint(SIZE).split("\n\n")[0] + "\n\n"),
    "another payload": (INCLUSION, "event.json", lambda: changed(EVENT, payload=FORGED_PAYLOAD)),
    "another salt": (INCLUSION, "event.json", lambda: changed(EVENT, salt=EVENT["leaf_hash"])),
    "no salt": (INCLUSION, "event.json", lambda: changed(EVENT, salt=None)),
    "another time": (INCLUSION, "event.json", lambda: changed(EVENT, time="2026-11-22T09:00:00.000000Z")),
    "another leaf": (INCLUSION, "event.json", lambda: changed(EVENT, leaf=events()["events"][8]["leaf"])),
    "a cut leaf": (INCLUSION, "event.json", lambda: changed(EVENT, leaf=EVENT["leaf"][:-4])),
    "another leaf hash": (INCLUSION, "event.json", lambda: changed(EVENT, leaf_hash=EVENT["salt"])),
    "another event": (INCLUSION, "event.json", lambda: events()["events"][8]),
    "proof of another entry": (INCLUSION, "proof.json", lambda: changed(inclusion(8), seq=7)),
    "proof too short": (INCLUSION, "proof.json", lambda: changed(inclusion(7), hashes=inclusion(7)["hashes"][1:])),
    "proof too long": (INCLUSION, "proof.json", lambda: changed(inclusion(7), hashes=inclusion(7)["hashes"] * 2)),
    "proof for another log": (INCLUSION, "proof.json", lambda: inclusion(7, 60)),
    "entry outside": (INCLUSION, "proof.json", lambda: changed(inclusion(7), seq=90)),
    "old checkpoint for new": (CONSISTENCY, "new.txt", lambda: checkpoint(49)),
    "consistency of others": (CONSISTENCY, "consistency.json", lambda: consistency(49)),
    "consistency too short": (
        CONSISTENCY,
        "consistency.json",
        lambda: changed(consistency(50), hashes=consistency(50)["hashes"][:-1]),
    ),
    "consistency forged": (
        CONSISTENCY,
        "consistency.json",
        lambda: changed(consistency(50), hashes=consistency(50)["hashes"][::-1]),
    ),
    "export cut": (EXPORT, "export.jsonl", lambda: "\n".join(export_lines()[:-1])),
    "export with a gap": (EXPORT, "export.jsonl", lambda: "\n".join(export_lines()[:9] + export_lines()[10:])),
    "export changed": (EXPORT, "export.jsonl", lambda: "\n".join(export_lines()).replace("visitor-3", "visitor-4")),
    "export of a rewritten log": (EXPORT, "export.jsonl", rewritten_export),
    "receipt of the log key": (RECEIPT, "receipt.jws", lambda: receipt(LOG_KEY, "log")),
    "receipt of a stranger": (RECEIPT, "receipt.jws", lambda: receipt(LOG_KEY)),
    "receipt unsigned": (RECEIPT, "receipt.jws", lambda: receipt(alg="none")),
    "receipt of no key": (RECEIPT, "receipt.jws", lambda: receipt(kid="gone")),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_not_proved(auditor: Auditor, forgery: str) -> None:
    """EVD-02: exit status 1 and one line that says why."""
    arguments, name, forge = FORGERIES[forgery]
    auditor.put(name, forge())
    status, output = auditor.run(*arguments)

    assert (status, output.count("\n")) == (1, 1)
    assert output.startswith("NOT PROVED: ")


def test_a_checkpoint_of_another_key_is_not_believed(auditor: Auditor) -> None:
    status, output = auditor.run("checkpoint", "--vkey", OTHER_VKEY, "--checkpoint", "new.txt")

    assert (status, output.split(":")[0]) == (1, "NOT PROVED")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("checkpoint", *KEY),
        (*CHECKPOINT[:-1], "missing.txt"),
        (*INCLUSION[:-1], "new.txt"),
        (*INCLUSION[:-1], "jwks.json"),
        ("checkpoint", "--vkey", "x+y+!", "--checkpoint", "new.txt"),
        (*RECEIPT[:-1], "new.txt"),
    ],
)
def test_input_that_cannot_be_used_is_told_apart(auditor: Auditor, arguments: tuple[str, ...]) -> None:
    assert auditor.run(*arguments)[0] == 2


@pytest.mark.parametrize("command", ["checkpoint", "inclusion", "consistency", "export", "receipt"])
def test_every_command_explains_itself(auditor: Auditor, command: str) -> None:
    status, output = auditor.run(command, "--help")

    assert status == 0
    assert "Prove that" in output


def test_the_program_shares_no_code_with_the_service() -> None:
    assert "consent_service" not in PROGRAM.read_text(encoding="utf-8")


def test_the_payload_of_a_page_has_the_form_that_the_leaf_commits_to() -> None:
    assert canonical_json(EVENT["payload"]) == LOG.rows[7].payload
