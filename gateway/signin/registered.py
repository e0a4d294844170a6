"""Where people sign in, from the settings: an external OpenID provider, or the embedded one, or nowhere.

The embedded provider is for development: it is there where no other is named, and never in production.
"""

from __future__ import annotations

from pathlib import Path

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey

from gateway.keys import Keyring
from gateway.settings import Environment, Settings
from gateway.signin.fetching import Fetching
from gateway.signin.relying import Registration, Relying
from gateway.signin.secrets import SignInKeys

SIGNED_IN, SIGNED_OUT = "/console/signed-in", "/console/signed-out"
PROVIDER = "/provider"
"""Where the embedded provider is, below the public address."""
PROVIDER_PAGE = f"{PROVIDER}/authorize"
"""Its one page."""

_LEAST_BITS = 2048


class SignInUnusable(Exception):
    """A file that the settings name for signing in cannot be used. Never names what is in it."""


def embedded(settings: Settings) -> bool:
    """Whether people sign in at the embedded provider."""
    return settings.oidc_issuer is None and settings.environment is not Environment.PRODUCTION


def relying(settings: Settings, keyring: Keyring, transport: httpx.AsyncBaseTransport | None = None) -> Relying | None:
    """The console at its provider; None where there is none. `transport` leads to the embedded one.

    Raises SignInUnusable.
    """
    keys = SignInKeys(keyring)
    address = settings.public_url.rstrip("/")
    if embedded(settings):
        about = Registration(
            issuer=address + PROVIDER,
            client_id=settings.oidc_client_id,
            redirect_uri=address + SIGNED_IN,
            signed_out_uri=address + SIGNED_OUT,
            secret=keys.client_secret,
            acr=frozenset((settings.oidc_acr or "").split()),
            skew=settings.clock_skew_seconds,
        )
        return Relying(about, keys.asked, Fetching(transport=transport))
    if settings.oidc_issuer is None:
        return None
    about = Registration(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        redirect_uri=address + SIGNED_IN,
        signed_out_uri=address + SIGNED_OUT,
        secret=_text(settings.oidc_client_secret_file),
        key=client_key(settings),
        scopes=settings.oidc_scopes,
        acr=frozenset((settings.oidc_acr or "").split()),
        max_age=settings.oidc_max_age_seconds,
        userinfo=settings.oidc_userinfo,
        skew=settings.clock_skew_seconds,
    )
    if about.secret is None and about.key is None:
        raise SignInUnusable("GATEWAY_OIDC_ISSUER needs GATEWAY_OIDC_CLIENT_KEY_FILE or _SECRET_FILE")
    return Relying(about, keys.asked, Fetching(_text(settings.oidc_ca_file), transport))


def client_key(settings: Settings) -> RSAKey | ECKey | None:
    """The key that proves the console to its provider, its `kid` the thumbprint unless one was agreed.

    Raises SignInUnusable.
    """
    path = settings.oidc_client_key_file
    if path is None:
        return None
    pem = _bytes(path)
    kinds: tuple[type[RSAKey | ECKey], ...] = (RSAKey, ECKey)
    for kind in kinds:
        try:
            key = kind.import_key(pem)
        except (ValueError, JoseError):  # no PEM; the key of another kind
            continue
        if not key.is_private or (isinstance(key, RSAKey) and key.raw_value.key_size < _LEAST_BITS):
            break
        kid = settings.oidc_client_key_id or key.thumbprint()
        return kind.import_key(key.as_pem(private=True), {"kid": kid, "use": "sig"})
    raise SignInUnusable(f"{path}: not a private RSA key of {_LEAST_BITS} bits or more, nor an EC key, in PEM")


def published(settings: Settings) -> tuple[Key, ...]:
    """The key whose public half the gateway's JWKS publishes for the provider. Raises SignInUnusable."""
    key = client_key(settings) if settings.oidc_issuer is not None else None
    return (key,) if key is not None else ()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise SignInUnusable(f"{path}: cannot be read") from None


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return _bytes(path).decode().strip()
    except UnicodeDecodeError:
        raise SignInUnusable(f"{path}: not a text") from None
