"""The keys a client may register, and the algorithms they may sign with: pinned, and checked strictly.

A JSON Web Key Set (RFC 7517) of public signature keys: RSA of 2048 to 4096 bits, P-256, P-384, P-521, or Ed25519. A
private key is refused, so that a client which sends one learns of it before anybody else does. Neither `none` nor any
HMAC is among the algorithms; RS512 is the one of the NHS signed-JWT profile (domain.md section 2.7).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import gcd, isqrt, prod
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, import_key
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.util import urlsafe_b64decode

from audit.ed25519 import usable_key

_RSA_ALGORITHMS = ("RS512", "RS384", "RS256", "PS512", "PS384", "PS256")
_EC_ALGORITHMS: Mapping[str, str] = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_EC_BYTES: Mapping[str, int] = {"P-256": 32, "P-384": 48, "P-521": 66}
_EDWARDS_ALGORITHMS = ("EdDSA", "Ed25519")  # RFC 8037's name, which clients send, and RFC 9864's

ALGORITHMS = (*_RSA_ALGORITHMS, *_EC_ALGORITHMS.values(), *_EDWARDS_ALGORITHMS)
"""Every algorithm an assertion may be signed with."""

KEYS_MAX = 10
_RSA_BITS = range(2048, 4097)  # below is weak; above, a signature is longer than joserfc verifies
_SMALL_PRIMES = prod(n for n in range(2, 752) if all(n % m for m in range(2, isqrt(n) + 1)))  # NIST SP 800-89, 5.3.3
_RSA_EXPONENT = "AQAB"  # 65537: a small exponent forgives bad padding, and one of 1 signs everything

_KID = re.compile(r"[!#-\[\]-~]{1,128}")  # it goes into the audit log, so it is a code
_COMMON = frozenset({"kty", "kid", "use", "alg", "key_ops"})
_MEMBERS: Mapping[str, frozenset[str]] = {
    "RSA": _COMMON | {"n", "e"},
    "EC": _COMMON | {"crv", "x", "y"},
    "OKP": _COMMON | {"crv", "x"},
}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class KeysInvalid(Exception):
    """A key set that cannot be registered. The message names the path, never the value."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def public_keys(jwks: Mapping[str, Any]) -> KeySet:
    """The key set of a JWKS document. A key without `kid` has its RFC 7638 thumbprint. Raises KeysInvalid."""
    if not isinstance(jwks, Mapping) or jwks.keys() != {"keys"} or not isinstance(jwks["keys"], list):
        raise KeysInvalid("jwks", "is not an object with one member, `keys`, an array")
    if not 1 <= len(jwks["keys"]) <= KEYS_MAX:
        raise KeysInvalid("keys", f"has not 1 to {KEYS_MAX} keys")
    keys = KeySet([_public_key(one, f"keys[{at}]") for at, one in enumerate(jwks["keys"])])
    for what, found in (("kid", [key.kid for key in keys]), ("key", [key.thumbprint() for key in keys])):
        if len(set(found)) != len(found):
            raise KeysInvalid("keys", f"has the same {what} twice")
    return keys


def algorithms_of(key: Key) -> tuple[str, ...]:
    """The algorithms a registered key may sign with: those of its type, or the one it names."""
    return (key.alg,) if key.alg else _fitting(key)


def signed_by(token: str, key: Key) -> bool:
    """Whether a compact JWS is signed by the key, with an algorithm pinned here."""
    try:
        deserialize_compact(token, key, registry=_PINNED)
    except (JoseError, ValueError, RecursionError):
        return False
    return True


class _Pinned(JWSRegistry):
    """joserfc's algorithms without its advice, which would be a warning at every EdDSA signature."""

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - joserfc's algorithm model, which it does not export
        if name not in ALGORITHMS:
            return super().get_alg(name)
        return self.algorithms["Ed25519" if name == "EdDSA" else name]


_PINNED = _Pinned(algorithms=ALGORITHMS)


def _public_key(jwk: Any, path: str) -> Key:  # noqa: ANN401 - foreign JSON
    if not isinstance(jwk, dict):
        raise KeysInvalid(path, "is not an object")
    kind = jwk.get("kty")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        raise KeysInvalid(f"{path}.kty", "is not RSA, EC or OKP")
    if _PRIVATE & jwk.keys():
        raise KeysInvalid(path, "holds a private key, which is now known here: make a new one, send its public half")
    if not jwk.keys() <= _MEMBERS[kind]:
        raise KeysInvalid(path, "has a member that is not read here")
    if "kid" in jwk and not (isinstance(jwk["kid"], str) and _KID.fullmatch(jwk["kid"])):
        raise KeysInvalid(f"{path}.kid", "is not a code of at most 128 characters")
    if jwk.get("use", "sig") != "sig":
        raise KeysInvalid(f"{path}.use", "is not `sig`")
    if jwk.get("key_ops", ["verify"]) != ["verify"]:
        raise KeysInvalid(f"{path}.key_ops", "is not [`verify`]")
    key = _imported(kind, jwk, path)
    if "alg" in jwk and jwk["alg"] not in _fitting(key):
        raise KeysInvalid(f"{path}.alg", "is not an algorithm for this key")
    return key


def _imported(kind: str, jwk: dict[str, Any], path: str) -> Key:
    """Import a key, once its strength is judged: joserfc takes a weak one and warns."""
    if kind == "RSA":
        _check_rsa(jwk, path)
    elif jwk.get("crv") not in (*_EC_ALGORITHMS, "Ed25519"):
        raise KeysInvalid(f"{path}.crv", "is not P-256, P-384, P-521 or Ed25519")
    if kind == "EC":
        _check_curve(jwk, path)
    if kind == "OKP":
        _check_edwards(jwk, path)
        jwk = {name: value for name, value in jwk.items() if name != "alg"}  # it would hold `EdDSA` against `Ed25519`
    try:
        return import_key(jwk)
    except (JoseError, ValueError, TypeError, KeyError):
        raise KeysInvalid(path, "is not a public key") from None


def _check_rsa(jwk: dict[str, Any], path: str) -> None:
    try:
        raw = urlsafe_b64decode(jwk["n"].encode("ascii"))
    except (ValueError, KeyError, AttributeError):
        raise KeysInvalid(f"{path}.n", "is not a base64url number") from None
    modulus = int.from_bytes(raw)
    if modulus.bit_length() not in _RSA_BITS:
        raise KeysInvalid(f"{path}.n", f"has not {_RSA_BITS[0]} to {_RSA_BITS[-1]} bits")
    if raw[0] == 0 or gcd(modulus, _SMALL_PRIMES) != 1:
        raise KeysInvalid(f"{path}.n", "begins with zeros, or has a small factor")
    if jwk.get("e") != _RSA_EXPONENT:
        raise KeysInvalid(f"{path}.e", "is not 65537")


def _check_curve(jwk: dict[str, Any], path: str) -> None:
    """A coordinate has all its bytes and no more (RFC 7518 section 6.2.1.2): else one key could pass for two."""
    for name in ("x", "y"):
        try:
            length = len(urlsafe_b64decode(jwk[name].encode("ascii")))
        except (ValueError, KeyError, AttributeError):
            length = 0
        if length != _EC_BYTES[jwk["crv"]]:
            raise KeysInvalid(f"{path}.{name}", "is not a coordinate of this curve")


def _check_edwards(jwk: dict[str, Any], path: str) -> None:
    try:
        usable_key(urlsafe_b64decode(jwk["x"].encode("ascii")))
    except (ValueError, KeyError, AttributeError):
        raise KeysInvalid(f"{path}.x", "is not a point that a signature can be held to") from None


def _fitting(key: Key) -> tuple[str, ...]:
    if isinstance(key, ECKey):
        return (_EC_ALGORITHMS[key.curve_name],)
    return _EDWARDS_ALGORITHMS if isinstance(key, OKPKey) else _RSA_ALGORITHMS
