"""What a witness asks of the gateway it watches, over HTTP: checkpoint, consistency proof, and handing its line in.

OAuth 2 client credentials with `private_key_jwt` (RFC 6749 section 4.4, RFC 7523), by the standard library and
`cryptography`. It believes nothing it is told: whatever comes back is judged by its signatures (`audit.witness`).
"""

import base64
import http.client
import json
import ssl
import time
import uuid
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from audit.encoding import hash_from_base64
from audit.errors import NoteMalformed, WitnessFault

TIMEOUT_SECONDS: Final = 20
ANSWER_MAX_BYTES: Final = 65_536
ASSERTION_SECONDS: Final = 240  # the gateway takes at most 300
SCOPE: Final = "audit:log.witness"

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SERVER_ERRORS: Final = 500
_TOO_MANY: Final = 429


class GatewayUnreachable(WitnessFault):
    """The gateway does not answer, or says that it cannot now: worth asking again."""


class GatewayRefuses(WitnessFault):
    """The gateway answers, and not with what was asked for; `status` is its HTTP status."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(f"the gateway answers {status} to {what}")
        self.status = status


class ClientKey:
    """The private key a client proves itself with: RSA (RS512), P-256 (ES256) or P-384 (ES384), RFC 7518 section 3."""

    def __init__(self, pem: bytes) -> None:
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError):
            raise WitnessFault("the client's key is not an unencrypted private key in PEM") from None
        if isinstance(key, ec.EllipticCurvePrivateKey) and not isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
            raise WitnessFault("the client's key is of a curve that is not used here")
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise WitnessFault("the client's key is neither RSA nor of an elliptic curve")
        self._key = key

    @property
    def algorithm(self) -> str:
        """The JWS algorithm of the key."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return "RS512"
        return "ES256" if isinstance(self._key.curve, ec.SECP256R1) else "ES384"

    def sign(self, data: bytes) -> bytes:
        """The JWS signature: PKCS #1 v1.5, or r and s of the curve's length side by side."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), SHA512())
        digest = SHA256() if isinstance(self._key.curve, ec.SECP256R1) else SHA384()
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(digest)))
        length = self._key.curve.key_size // 8
        return r.to_bytes(length, "big") + s.to_bytes(length, "big")


class GatewayClient:
    """A client of one log of a gateway. Not shared between threads.

    `url` is the gateway's public address, which the assertion is addressed to. `key_id` names the key where the client
    has registered several.
    """

    def __init__(self, url: str, log_id: str, client_id: str, key: ClientKey, key_id: str | None = None) -> None:
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise WitnessFault("the gateway's address is not an http or https URL")
        self._url, self._parts = url.rstrip("/"), parts
        self._at = f"/audit/v1/logs/{log_id}"
        self._client_id, self._key, self._key_id = client_id, key, key_id
        self._token: str | None = None

    def checkpoint(self) -> str:
        """The log's last signed checkpoint."""
        return self._ask("GET", f"{self._at}/witness/checkpoint")

    def consistency(self, first: int, second: int) -> tuple[bytes, ...]:
        """The proof that the log of the first size is a prefix of it at the second."""
        query = urlencode({"first": first, "second": second})
        text = self._ask("GET", f"{self._at}/witness/consistency?{query}")
        try:
            return tuple(hash_from_base64(one) for one in json.loads(text)["hashes"])
        except (ValueError, KeyError, TypeError, AttributeError, NoteMalformed):
            raise WitnessFault("the gateway's consistency proof cannot be read") from None

    def hand_in(self, note: str) -> None:
        """Give the gateway a checkpoint of its own with this witness's cosignature."""
        self._ask("POST", f"{self._at}/cosignatures", note.encode(), "text/plain; charset=utf-8")

    def _ask(self, method: str, path: str, body: bytes | None = None, media: str = "") -> str:
        """Ask with a token, and once more with a new one where it is refused."""
        for fresh in (False, True):
            if self._token is None or fresh:
                self._token = self._sign_in()
            headers = {"Authorization": f"Bearer {self._token}", **({"Content-Type": media} if body else {})}
            status, answer = self._send(method, path, body, headers)
            if status != http.client.UNAUTHORIZED:
                break
        if status not in (http.client.OK, http.client.CREATED):
            raise GatewayRefuses(f"{method} {path.partition('?')[0]}", status)
        return answer

    def _sign_in(self) -> str:
        form = urlencode(
            {
                "grant_type": "client_credentials",
                "scope": SCOPE,
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": self._assertion(int(time.time())),
            }
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer = self._send("POST", "/oauth2/token", form.encode(), headers)
        if status != http.client.OK:
            raise GatewayRefuses("the request for a token", status)
        try:
            return str(json.loads(answer)["access_token"])
        except (ValueError, KeyError, TypeError):
            raise WitnessFault("the gateway's token cannot be read") from None

    def _assertion(self, at: int) -> str:
        header = {"alg": self._key.algorithm, "typ": "JWT"} | ({"kid": self._key_id} if self._key_id else {})
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": f"{self._url}/oauth2/token",
            "jti": str(uuid.uuid4()),
            "iat": at,
            "exp": at + ASSERTION_SECONDS,
        }
        signed = f"{_segment(header)}.{_segment(claims)}"
        return f"{signed}.{_base64url(self._key.sign(signed.encode()))}"

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, str]:
        """One call on a connection of its own. Raises GatewayUnreachable."""
        host, port = self._parts.hostname or "", self._parts.port
        connection = (
            http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
            if self._parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        )
        try:
            connection.request(method, self._parts.path + path, body, headers)
            answer = connection.getresponse()
            raw = answer.read(ANSWER_MAX_BYTES + 1)
        except (OSError, http.client.HTTPException) as fault:
            raise GatewayUnreachable(f"the gateway cannot be reached: {type(fault).__name__}") from fault
        finally:
            connection.close()
        if answer.status >= _SERVER_ERRORS or answer.status == _TOO_MANY:
            raise GatewayUnreachable(f"the gateway answers {answer.status}")
        if len(raw) > ANSWER_MAX_BYTES:
            raise WitnessFault("the gateway's answer is too long")
        try:
            return answer.status, raw.decode()
        except UnicodeDecodeError:
            raise WitnessFault("the gateway's answer is not text") from None


def _segment(value: dict[str, Any]) -> str:
    return _base64url(json.dumps(value).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
