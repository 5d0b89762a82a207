"""The JSON that auditors receive has the shapes of contract §6.1."""

from base64 import b64decode
from dataclasses import replace

import pytest

from consent_service.domain.evidence.documents import (
    consistency_document,
    event_document,
    export_document,
    inclusion_document,
)
from consent_service.domain.evidence.leaf import leaf_hash, parse_leaf
from tests.domain.evidence.logs import sample_row

ROW = sample_row(7)
ERASED_ROW = replace(ROW, salt=None, payload=None)
HASH = bytes(range(32))
HASH_TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_an_event_brings_all_that_its_leaf_is_checked_by() -> None:
    document = event_document(ROW)
    leaf = b64decode(str(document["leaf"]))

    assert list(document) == ["seq", "time", "leaf", "leaf_hash", "salt", "payload"]
    assert parse_leaf(leaf).commitment == ROW.commitment
    assert b64decode(str(document["leaf_hash"])) == leaf_hash(leaf)


def test_an_erased_event_has_neither_salt_nor_payload() -> None:
    document = event_document(ERASED_ROW)

    assert (document["salt"], document["payload"]) == (None, None)
    assert document["leaf"] == event_document(ROW)["leaf"]


def test_an_export_row_is_flat() -> None:
    assert set(export_document(ROW)) == {
        *("seq", "time", "leaf", "leaf_hash", "salt"),
        *("event_type", "event_time", "visitor_id", "choices"),
    }
    assert set(export_document(ERASED_ROW)) == {"seq", "time", "leaf", "leaf_hash", "salt"}


def test_a_payload_that_an_export_row_would_hide_is_refused() -> None:
    with pytest.raises(ValueError, match="no members named"):
        export_document(replace(ROW, payload=b'{"salt":1}'))


def test_proofs_have_the_members_of_the_contract() -> None:
    assert inclusion_document(7, 83, HASH, HASH, [HASH]) == {
        "seq": 7,
        "size": 83,
        "leaf_hash": HASH_TEXT,
        "root_hash": HASH_TEXT,
        "hashes": [HASH_TEXT],
    }
    assert consistency_document(50, 83, HASH, HASH, []) == {
        "from": 50,
        "to": 83,
        "from_root": HASH_TEXT,
        "to_root": HASH_TEXT,
        "hashes": [],
    }
