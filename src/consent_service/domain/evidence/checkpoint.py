"""Signed checkpoints: what a log's size and root were, as C2SP tlog-checkpoint over signed-note.

    <origin>
    <size>
    <base64 of the root hash>

    — <key name> <base64 of key ID and signature>

Ed25519 itself is a port: signing and verifying are callables, so that this room needs no cryptography library.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple, Self

from consent_service.domain.evidence.leaf import HASH_BYTES

Sign = Callable[[bytes], bytes]
"""Signs a message with the log's Ed25519 key."""
Verify = Callable[[bytes, bytes, bytes], bool]
"""Tells whether (public key of 32 bytes, signature, message) belong together; never raises for bad ones."""

ED25519 = b"\x01"
"""The signature type of C2SP signed-note."""
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 4
MAX_SIGNATURES = 100
_SIGNATURE_MARK = "\u2014 "
_SIZE_PATTERN = re.compile(r"0|[1-9][0-9]{0,17}")
_BODY_LINES = 3


class CheckpointRefused(ValueError):
    """The text is no checkpoint, or no known key signed it."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A log's public key under the name it signs with."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        """Refuse a name that signed-note could not carry, and a key of another length."""
        _check_name(self.name)
        if len(self.public_key) != PUBLIC_KEY_BYTES:
            raise CheckpointRefused("an Ed25519 public key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """The four bytes that name this key in a signature line."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The verifier key as C2SP tools read it: `name+key ID+base64 of type and key`."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.public_key).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a verifier key; raises CheckpointRefused unless every part is right."""
        name, _, rest = vkey.partition("+")
        key_id, _, encoded = rest.partition("+")
        typed_key = _from_base64(encoded, "the verifier key")
        if typed_key[:1] != ED25519:
            raise CheckpointRefused("the verifier key is not an Ed25519 key")
        key = cls(name, typed_key[1:])
        if key.key_id.hex() != key_id:
            raise CheckpointRefused("the key ID does not belong to this name and key")
        return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root hash that the log `origin` had at `size`."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """Write the note text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


class Signature(NamedTuple):
    """One signature line of a note."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it was read: not to be believed before `verify_checkpoint`."""

    checkpoint: Checkpoint
    body: bytes
    signatures: tuple[Signature, ...]


def sign_checkpoint(checkpoint: Checkpoint, key: VerifierKey, sign: Sign) -> str:
    """Write the signed note; the key's name is the log's origin."""
    _check_name(checkpoint.origin)
    if key.name != checkpoint.origin:
        raise CheckpointRefused("a log signs its checkpoints under its own origin")
    body = checkpoint.body()
    signature = b64encode(key.key_id + sign(body.encode())).decode()
    return f"{body}\n{_SIGNATURE_MARK}{key.name} {signature}\n"


def parse_checkpoint(note: str | bytes) -> SignedCheckpoint:
    """Read a signed checkpoint without extension lines; raises CheckpointRefused, and nothing else."""
    text = _decode(note)
    body, separator, signature_lines = text.rpartition("\n\n")
    if not separator or not signature_lines.endswith("\n"):
        raise CheckpointRefused("a signed note is a text, an empty line and signature lines")
    lines = signature_lines[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise CheckpointRefused(f"the note has more than {MAX_SIGNATURES} signatures")
    signatures = tuple(_parse_signature(line) for line in lines)
    return SignedCheckpoint(_parse_body(body), (body + "\n").encode(), signatures)


def verify_checkpoint(note: str | bytes, keys: Sequence[VerifierKey], verify: Verify) -> Checkpoint:
    """Read a checkpoint that one of `keys` signed; raises CheckpointRefused otherwise.

    Signatures of unknown keys are ignored, a wrong one of a known key refuses the whole note (signed-note,
    Signatures). The key must bear the log's name: a key of another log proves nothing about this one.
    """
    signed = parse_checkpoint(note)
    known = {(key.name, key.key_id): key for key in keys}
    verified = False
    for signature in signed.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None or key.name != signed.checkpoint.origin:
            continue
        if len(signature.value) != SIGNATURE_BYTES or not verify(key.public_key, signature.value, signed.body):
            raise CheckpointRefused("a signature of the log's key is wrong")
        verified = True
    if not verified:
        raise CheckpointRefused("no known key of this log signed the checkpoint")
    return signed.checkpoint


def _decode(note: str | bytes) -> str:
    try:
        text = note.decode() if isinstance(note, bytes) else note.encode().decode()
    except UnicodeError:
        raise CheckpointRefused("a checkpoint is UTF-8 text") from None
    if any(character < " " and character != "\n" for character in text):
        raise CheckpointRefused("a checkpoint holds no control characters")
    return text


def _parse_body(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) != _BODY_LINES:
        raise CheckpointRefused("a checkpoint of this service has three lines: origin, size, root hash")
    origin, size, root = lines
    _check_name(origin)
    if not _SIZE_PATTERN.fullmatch(size):
        raise CheckpointRefused("the size is not a decimal number without leading zeros")
    root_hash = _from_base64(root, "the root hash")
    if len(root_hash) != HASH_BYTES:
        raise CheckpointRefused("a root hash has 32 bytes")
    return Checkpoint(origin, int(size), root_hash)


def _parse_signature(line: str) -> Signature:
    name, separator, encoded = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    if not line.startswith(_SIGNATURE_MARK) or not separator:
        raise CheckpointRefused("a signature line reads: em dash, key name, base64")
    _check_name(name)
    value = _from_base64(encoded, "a signature")
    if len(value) <= KEY_ID_BYTES:
        raise CheckpointRefused("a signature line holds no signature")
    return Signature(name, value[:KEY_ID_BYTES], value[KEY_ID_BYTES:])


def _check_name(name: str) -> None:
    unfit = "+" in name or any(character.isspace() or character < " " for character in name)
    if not name or unfit or name != name.encode(errors="replace").decode():
        raise CheckpointRefused("a key name is not empty and holds neither spaces nor plus signs")


def _from_base64(text: str, what: str) -> bytes:
    """Decode standard base64 with padding, in its one canonical spelling (RFC 4648 §3.5, §4)."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CheckpointRefused(f"{what} is not base64") from None
    if b64encode(data).decode() != text:
        raise CheckpointRefused(f"{what} is not in canonical base64")
    return data
