"""The logout token: a provider says, to nobody's browser, that somebody's session there has ended.

Pure: token and keys in; whose sessions end with it out. It is signed with the keys of ID tokens and is none of them: it
names the event, and no question of ours (`nonce`). It ends nothing that began after it was made, so that sent a second
time it does nothing.

Source: OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jwt import JWTClaimsRegistry

from gateway.signin.fetching import SignInFailed
from gateway.signin.idtoken import verified

EVENT = "http://schemas.openid.net/event/backchannel-logout"
_TYPES = frozenset({"logout+jwt", "application/logout+jwt", "jwt", None})
"""What a provider may call it; by the standard's first name where it gives one, and many give none."""


@dataclass(frozen=True, slots=True)
class AtProvider:
    """A session as its provider names it: of whom (`sub`), and which (`sid`)."""

    subject: str | None
    session: str | None

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> AtProvider:
        """What a token says; what is no text says nothing."""
        found = (claims.get(name) for name in ("sub", "sid"))
        return cls(*(one if isinstance(one, str) and one else None for one in found))


@dataclass(frozen=True, slots=True)
class Ended:
    """What has ended at the provider: the sessions of `who` that began until `at`, in seconds since 1970."""

    who: AtProvider
    at: int


def read(text: str, keys: Sequence[Key], issuer: str, client_id: str, now: int, skew: int) -> Ended:
    """What a logout token says. Raises SignInFailed; KeyUnknown where other keys may help."""
    header, claims = verified(text, keys)
    kind = header.get("typ")
    if "nonce" in claims or not (kind is None or (isinstance(kind, str) and kind.lower() in _TYPES)):
        raise SignInFailed("logout-token-kind")
    registry = JWTClaimsRegistry(
        now,
        skew,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        iat={"essential": True},
        exp={"essential": True},
        jti={"essential": True},
    )
    try:
        registry.validate(claims)
    except (JoseError, ValueError, TypeError, AttributeError):
        raise SignInFailed("logout-token-claims") from None
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise SignInFailed("logout-token-event")
    who = AtProvider.of(claims)
    if who == AtProvider(None, None):
        raise SignInFailed("logout-token-of-nobody")
    return Ended(who, max(int(claims["iat"]), 0))
