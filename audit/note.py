"""Signed notes (C2SP signed-note v1.0.0) with Ed25519 keys: signer, verifier, verifier key text.

A note is text, a blank line, and signature lines. A cosigner's line (C2SP tlog-cosignature, Ed25519) also says when it
was made. This module does not know what the text says, and it makes no decision about which keys are trusted: the
caller hands in the verifiers it trusts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Final, NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.ed25519 import KEY_BYTES, usable_key
from audit.encoding import from_base64, to_base64
from audit.errors import NoteMalformed, SignatureInvalid

_KEY_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_LATEST_SECONDS: Final = 2**63 - 1  # tlog-cosignature "Format"
_MOST_SIGNATURES: Final = 64  # the specification asks for at least 16
_DASH: Final = "\u2014 "


class Signature(NamedTuple):
    """One signature line: the key's name, its four-byte id, and the raw signature."""

    name: str
    key_id: bytes
    raw: bytes

    @property
    def line(self) -> str:
        """The signature line, with its newline."""
        return _line(self.name, self.key_id, self.raw)


@dataclass(frozen=True, slots=True)
class _PublicKey:
    """A public key under a name. `text` is its C2SP verifier key, `name+id+base64`."""

    kind: ClassVar[bytes]
    """The type of its signatures."""

    name: str
    key_id: bytes
    public: Ed25519PublicKey

    @classmethod
    def of(cls, name: str, public: Ed25519PublicKey) -> Self:
        """Return the verifier of a public key; raise `NoteMalformed` for a name a note cannot carry."""
        _check_name(name)
        return cls(name, _key_id(name, cls.kind, public), public)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a verifier key; raise `NoteMalformed` unless it is exactly one Ed25519 key of this type."""
        return cls(*_key_from_text(text, cls.kind))

    def same_key(self, text: str) -> bool:
        """Tell whether a verifier key of this type holds the same public key, under whatever name."""
        return type(self).from_text(text).public == self.public

    @property
    def text(self) -> str:
        """The verifier key as text."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(self.kind + self.public.public_bytes_raw())}"


class Verifier(_PublicKey):
    """The key of whoever signs notes."""

    __slots__ = ()
    kind = b"\x01"  # signed-note "Signature types": Ed25519

    def verify(self, text: str, raw: bytes) -> bool:
        """Tell whether `raw` is this key's signature over the note text."""
        try:
            self.public.verify(raw, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key under a name. Where the key is kept is the caller's concern."""

    name: str
    private: Ed25519PrivateKey
    verifier: Verifier

    @classmethod
    def of(cls, name: str, private: Ed25519PrivateKey) -> Self:
        """Return the signer; raise `NoteMalformed` for a name a note cannot carry."""
        return cls(name, private, Verifier.of(name, private.public_key()))

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        """Return the signer of a 32-byte RFC 8032 seed."""
        return cls.of(name, Ed25519PrivateKey.from_private_bytes(seed))

    def signature_line(self, text: str) -> str:
        """Return the signature line over a note text, with its newline."""
        return _line(self.name, self.verifier.key_id, self.private.sign(text.encode()))


class CosignerVerifier(_PublicKey):
    """The key of a cosigner (C2SP tlog-cosignature, Ed25519)."""

    __slots__ = ()
    kind = b"\x04"  # signed-note "Signature types": timestamped Ed25519 checkpoint cosignature

    def verify(self, text: str, raw: bytes) -> int:
        """Return when this key cosigned the note text, in seconds since 1970; raise `SignatureInvalid`.

        `raw` is the time and the signature. A cosignature without a time says nothing (C2SP tlog-witness).
        """
        seconds = int.from_bytes(raw[:_TIME_BYTES], "big")
        if not 0 < seconds <= _LATEST_SECONDS:
            raise SignatureInvalid("a cosignature has no time")
        try:
            self.public.verify(raw[_TIME_BYTES:], _cosigned(text, seconds))
        except InvalidSignature:
            raise SignatureInvalid("a cosignature of a known key is wrong") from None
        return seconds


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A cosigner's private key under a name. The same key must not cosign under another name."""

    name: str
    private: Ed25519PrivateKey
    verifier: CosignerVerifier

    @classmethod
    def of(cls, name: str, private: Ed25519PrivateKey) -> Self:
        """Return the cosigner; raise `NoteMalformed` for a name a note cannot carry."""
        return cls(name, private, CosignerVerifier.of(name, private.public_key()))

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        """Return the cosigner of a 32-byte RFC 8032 seed."""
        return cls.of(name, Ed25519PrivateKey.from_private_bytes(seed))

    def cosign(self, checkpoint_text: str, unix_time: int) -> str:
        """Return the cosignature line over a checkpoint's text, with its newline. The time is whole seconds, not 0."""
        made = self.private.sign(_cosigned(checkpoint_text, unix_time))
        return _line(self.name, self.verifier.key_id, unix_time.to_bytes(_TIME_BYTES, "big") + made)


def sign(text: str, *signers: Signer) -> str:
    """Return the note: the text, a blank line, one line per signer. Raises `NoteMalformed` on a bad text."""
    _check_text(text)
    return text + "\n" + "".join(signer.signature_line(text) for signer in signers)


def split(note: str) -> tuple[str, tuple[Signature, ...]]:
    """Return a note's text and its signatures, none of them checked; raise `NoteMalformed`."""
    body, blank, lines = note.rpartition("\n\n")
    text = body + "\n"
    if not blank or not lines.endswith("\n"):
        raise NoteMalformed("a note is text, a blank line, and signature lines")
    _check_text(text)
    rows = lines[:-1].split("\n")
    if len(rows) > _MOST_SIGNATURES:
        raise NoteMalformed("the note has too many signatures")
    return text, tuple(_signature(row) for row in rows)


def open_note(note: str, verifiers: Sequence[Verifier]) -> str:
    """Return a note's text once at least one verifier's signature is there and none of theirs is wrong.

    Signatures of other keys are passed over. Raises `NoteMalformed` or `SignatureInvalid`.
    """
    text, signatures = split(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    verified = False
    for signature in signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        if not verifier.verify(text, signature.raw):
            raise SignatureInvalid("the signature of a known key is wrong")
        verified = True
    if not verified:
        raise SignatureInvalid("no known key signed the note")
    return text


def keep(note: str, verifier: Verifier) -> str:
    """Return the note with the first signature of this key only; raise `SignatureInvalid` if it has none."""
    text, signatures = split(note)
    for name, key_id, raw in signatures:
        if (name, key_id) == (verifier.name, verifier.key_id):
            return f"{text}\n{_line(name, key_id, raw)}"
    raise SignatureInvalid("no known key signed the note")


def _line(name: str, key_id: bytes, raw: bytes) -> str:
    return f"{_DASH}{name} {to_base64(key_id + raw)}\n"


def _signature(row: str) -> Signature:
    name, space, material = row.removeprefix(_DASH).partition(" ")
    if not row.startswith(_DASH) or not space:
        raise NoteMalformed("a signature line is a dash, a name and a signature")
    _check_name(name)
    raw = from_base64(material)
    if len(raw) <= _KEY_ID_BYTES:
        raise NoteMalformed("a signature is too short")
    return Signature(name, raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _key_id(name: str, kind: bytes, public: Ed25519PublicKey) -> bytes:
    return sha256(name.encode() + b"\n" + kind + public.public_bytes_raw()).digest()[:_KEY_ID_BYTES]


def _key_from_text(text: str, kind: bytes) -> tuple[str, bytes, Ed25519PublicKey]:
    try:
        name, key_id, material = text.split("+", 2)
    except ValueError:
        raise NoteMalformed("a verifier key has three parts joined by plus signs") from None
    _check_name(name)
    raw = from_base64(material)
    if len(raw) != 1 + KEY_BYTES or raw[:1] != kind:
        raise NoteMalformed("the verifier key is not an Ed25519 key of this kind")
    try:
        public = usable_key(raw[1:])
    except ValueError:
        raise NoteMalformed("the verifier key is one that anybody can sign for") from None
    found = _key_id(name, kind, public)
    if found.hex() != key_id:
        raise NoteMalformed("the verifier key's id does not belong to its key")
    return name, found, public


def _check_name(name: str) -> None:
    if not name or "+" in name or any(one.isspace() or one < " " for one in name):
        raise NoteMalformed("a key name is not empty and has no space or plus sign")


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(one < " " and one != "\n" for one in text):
        raise NoteMalformed("a note's text ends in a newline and has no other control character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NoteMalformed("a note's text is valid Unicode") from None
