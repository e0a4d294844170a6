"""An Ed25519 public key (RFC 8032), refused where a signature under it proves nothing.

Eight points of the curve have so small an order that anybody can make signatures under them: such a key would let its
holder deny what it signed. A second spelling of a point would let one key pass for two. The library takes both.
Source: RFC 8032 section 5.1.3 (canonical points); C. Cremers and D. Jackson, "Prime, Order Please!", 2019, section 2.
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_BYTES: Final = 32

_PRIME: Final = 2**255 - 19
_SMALL: Final = frozenset(
    {
        0,  # order 4
        1,  # order 1
        _PRIME - 1,  # order 2
        2707385501144840649318225287225658788936804267575313519463743609750303402022,  # order 8, as is the next
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)
"""The y of every point of small order; each x that goes with it has the same order."""


def usable_key(raw: bytes) -> Ed25519PublicKey:
    """Return the key of its 32 bytes; raise ValueError where they are none, or one that anybody can sign for."""
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    if len(raw) != KEY_BYTES or y >= _PRIME or y in _SMALL:
        raise ValueError("not an Ed25519 key that a signature can be held to")
    return Ed25519PublicKey.from_public_bytes(raw)
