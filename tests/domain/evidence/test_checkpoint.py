"""Checkpoints: notes that every C2SP tool reads, and that nobody but the log's key could have written."""

from base64 import b64decode, b64encode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.evidence.checkpoint import (
    Checkpoint,
    CheckpointRefused,
    VerifierKey,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from consent_service.domain.evidence.tree import EMPTY_ROOT

ORIGIN = "consent.shop.example/evidence/default"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())
OTHER_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
OTHER_KEY = VerifierKey(ORIGIN, OTHER_PRIVATE.public_key().public_bytes_raw())
CHECKPOINT = Checkpoint(ORIGIN, 1841, bytes(range(100, 132)))
NOTE = sign_checkpoint(CHECKPOINT, KEY, PRIVATE.sign)

# The key, text and signature that golang.org/x/mod/sumdb/note publishes in its tests.
KNOWN_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
KNOWN_TEXT = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
KNOWN_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether an Ed25519 signature is right."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def signature_line(key: VerifierKey, private: Ed25519PrivateKey, body: str) -> str:
    """Write one more signature line for a note."""
    return f"— {key.name} {b64encode(key.key_id + private.sign(body.encode())).decode()}\n"


def test_a_checkpoint_reads_as_the_specification_says() -> None:
    body = f"{ORIGIN}\n1841\n{b64encode(CHECKPOINT.root).decode()}\n"

    assert body + "\n" + signature_line(KEY, PRIVATE, body) == NOTE


def test_a_checkpoint_of_the_log_is_believed() -> None:
    assert verify_checkpoint(NOTE, [KEY], verify) == CHECKPOINT
    assert verify_checkpoint(NOTE.encode(), [OTHER_KEY, KEY], verify) == CHECKPOINT


def test_an_empty_log_has_a_checkpoint() -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), KEY, PRIVATE.sign)

    assert note.splitlines()[1:3] == ["0", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]
    assert verify_checkpoint(note, [KEY], verify).size == 0


def test_the_published_example_key_is_understood() -> None:
    key = VerifierKey.parse(KNOWN_VKEY)
    signature = b64decode(KNOWN_SIGNATURE)

    assert (key.name, key.vkey) == ("PeterNeumann", KNOWN_VKEY)
    assert signature[:4] == key.key_id
    assert verify(key.public_key, signature[4:], KNOWN_TEXT)


def test_the_published_example_checkpoint_is_read() -> None:
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo"
        "+zyWE+xeMcTOAYQ8=\n"
    )
    signed = parse_checkpoint(note)

    assert signed.checkpoint.origin == "example.com/behind-the-sofa"
    assert signed.checkpoint.size == 20852163
    assert [line.name for line in signed.signatures] == ["example.com/behind-the-sofa"]


def test_a_key_is_read_from_its_own_spelling() -> None:
    assert VerifierKey.parse(KEY.vkey) == KEY


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        KNOWN_VKEY[1:],
        KNOWN_VKEY[:-1],
        KNOWN_VKEY.replace("c74f", "C74F"),
        KNOWN_VKEY.replace("+ARpc", "+BRpc"),
        KNOWN_VKEY.replace("PeterNeumann", "Peter Neumann"),
        KNOWN_VKEY + "\n",
        "x+00000000+AQ==",
        KNOWN_VKEY.replace("Neumann", "\ud800"),
    ],
)
def test_a_key_that_is_not_exactly_right_is_refused(vkey: str) -> None:
    with pytest.raises(CheckpointRefused):
        VerifierKey.parse(vkey)


def test_a_second_signature_by_a_stranger_is_no_matter() -> None:
    witness = VerifierKey("witness.example/w", OTHER_KEY.public_key)
    note = NOTE + signature_line(witness, OTHER_PRIVATE, "another text\n")

    assert verify_checkpoint(note, [KEY], verify) == CHECKPOINT


def test_during_a_key_rotation_either_key_is_enough() -> None:
    note = NOTE + signature_line(OTHER_KEY, OTHER_PRIVATE, CHECKPOINT.body())

    assert verify_checkpoint(note, [OTHER_KEY], verify) == CHECKPOINT
    assert verify_checkpoint(note, [KEY, OTHER_KEY], verify) == CHECKPOINT


def test_one_wrong_signature_of_a_known_key_refuses_the_note() -> None:
    note = NOTE + signature_line(OTHER_KEY, OTHER_PRIVATE, "another text\n")

    with pytest.raises(CheckpointRefused, match="is wrong"):
        verify_checkpoint(note, [KEY, OTHER_KEY], verify)


def test_a_checkpoint_of_an_unknown_key_is_refused() -> None:
    with pytest.raises(CheckpointRefused, match="no known key"):
        verify_checkpoint(NOTE, [OTHER_KEY], verify)


def test_a_key_of_another_log_vouches_for_nothing() -> None:
    foreign = VerifierKey("consent.shop.example/evidence/other", OTHER_KEY.public_key)
    note = f"{CHECKPOINT.body()}\n{signature_line(foreign, OTHER_PRIVATE, CHECKPOINT.body())}"

    with pytest.raises(CheckpointRefused, match="no known key"):
        verify_checkpoint(note, [foreign], verify)


def test_a_log_signs_under_its_own_name_only() -> None:
    with pytest.raises(CheckpointRefused, match="own origin"):
        sign_checkpoint(Checkpoint("elsewhere.example/log", 0, EMPTY_ROOT), KEY, PRIVATE.sign)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("1841", "01841"),
        NOTE.replace("1841", "-1"),
        NOTE.replace("1841", "1_841"),
        NOTE.replace("1841", "١٨٤١"),
        NOTE.replace("1841", "1" * 30),
        NOTE.replace("1841\n", "1841\n\n"),
        NOTE.replace("\n\n", "\nextension\n\n"),
        NOTE.replace("\n\n", "\r\n\r\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—"),
        NOTE.replace(ORIGIN, ""),
        NOTE.replace(ORIGIN, "a b"),
        NOTE.replace(ORIGIN, "a+b"),
        NOTE.replace("=\n\n", "\n\n"),
        f"{CHECKPOINT.body()}\n— {ORIGIN} AAAAAA==\n",
        f"{CHECKPOINT.body()}\n" + f"— {ORIGIN} {KNOWN_SIGNATURE}\n" * 101,
        NOTE.replace("shop", "sh\top"),
        NOTE.replace("shop", "sh\ud800op"),
        NOTE.encode("utf-16"),
        b"\xff" + NOTE.encode(),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_a_reason(note: str | bytes) -> None:
    with pytest.raises(CheckpointRefused):
        verify_checkpoint(note, [KEY], verify)


def test_a_checkpoint_has_one_spelling_only() -> None:
    """The last letter of a signature in base64 has two bits to spare, which must be zero (RFC 4648 §3.5)."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters[letters.index(NOTE[-3]) + 1]

    with pytest.raises(CheckpointRefused, match="canonical base64"):
        verify_checkpoint(f"{NOTE[:-3]}{last}=\n", [KEY], verify)


@given(st.integers(0, len(NOTE.encode()) * 8 - 1))
def test_a_checkpoint_with_any_bit_turned_is_refused(bit: int) -> None:
    note = bytearray(NOTE.encode())
    note[bit // 8] ^= 1 << bit % 8

    with pytest.raises(CheckpointRefused):
        verify_checkpoint(bytes(note), [KEY], verify)


@given(st.text() | st.binary())
def test_reading_anything_raises_nothing_else(note: str | bytes) -> None:
    with pytest.raises(CheckpointRefused):
        parse_checkpoint(note)
