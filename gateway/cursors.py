"""The links between pages: a question and a place in its answer, sealed so that nobody else can use or read them.

A cursor is AES-256-GCM over the question and the place, bound to the address and to whoever asked: client, person,
organisation, recipient and agreements. One that was altered, that another was given, or that belongs to another address
opens to the same refusal. So a link between pages names nobody, though the question did (P7). It lets nothing out: what
is on the next page is decided again when it is asked for.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import BadParameter
from gateway.evidence import Caller
from gateway.keys import Keyring

_NONCE_BYTES = 12  # NIST SP 800-38D: 96 bits
_LONGEST = 16_384  # characters: a question is at most half of that


@dataclass(frozen=True, slots=True)
class Cursor:
    """A question as pairs of name and value, and the place its next page begins behind; None is the beginning."""

    asked: tuple[tuple[str, str], ...]
    place: tuple[str, ...] | None


class Cursors:
    """Seals and opens the cursors of one deployment: every replica opens what another sealed."""

    def __init__(self, keyring: Keyring) -> None:
        self._cipher = AESGCM(keyring.cursor_key)

    def seal(self, cursor: Cursor, caller: Caller, address: str) -> str:
        """A cursor as it stands in a link."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = orjson.dumps([cursor.asked, cursor.place])
        sealed = self._cipher.encrypt(nonce, plain, _bound(caller, address))
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, text: str, caller: Caller, address: str) -> Cursor:
        """The cursor of a link. Raises BadParameter, in the same words whatever is wrong with it."""
        try:
            sealed = base64.urlsafe_b64decode(text[:_LONGEST] + "=" * (-len(text) % 4))
            plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(caller, address))
        except (InvalidTag, binascii.Error, ValueError):
            raise BadParameter("the cursor is not one of this server's links") from None
        asked, place = orjson.loads(plain)
        return Cursor(tuple((name, value) for name, value in asked), None if place is None else tuple(place))


def _bound(caller: Caller, address: str) -> bytes:
    """What a cursor is bound to, each part told apart from the next."""
    who: list[Any] = [caller.client, caller.user, caller.organisation, caller.recipient, sorted(caller.agreements)]
    return orjson.dumps([address, *who])
