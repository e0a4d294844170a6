"""What a witness sends a gateway and believes of it: its assertion, its token, and answers that are none."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from audit.encoding import to_base64
from audit.errors import WitnessFault
from audit.witness_client import (
    ANSWER_MAX_BYTES,
    ASSERTION_SECONDS,
    SCOPE,
    ClientKey,
    GatewayClient,
    GatewayRefuses,
    GatewayUnreachable,
)


def pem(key: Any, password: bytes | None = None) -> bytes:
    how = BestAvailableEncryption(password) if password else NoEncryption()
    raw: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
    return raw


KEY = pem(ec.generate_private_key(ec.SECP256R1()))


class Gateway(HTTPServer):
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        self.server.asked.append((self.path, dict(self.headers), self.rfile.read(length)))
        status, body = (200, b'{"access_token": "t"}') if "token" in self.path else self.server.answers.pop(0)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def client(gateway: Gateway, key: bytes = KEY, key_id: str | None = None) -> GatewayClient:
    return GatewayClient(gateway.url + "/", "a-log", "w", ClientKey(key), key_id)


@pytest.mark.parametrize("algorithm", ["RS512", "ES256", "ES384"])
def test_the_assertion_verifies_by_another_library(gateway: Gateway, algorithm: str) -> None:
    """Whatever the key: RFC 7523 section 3, signed as RFC 7518 section 3 has it."""
    curve = ec.SECP256R1() if algorithm == "ES256" else ec.SECP384R1()
    raw = pem(rsa.generate_private_key(65537, 2048) if algorithm == "RS512" else ec.generate_private_key(curve))
    public = (RSAKey if algorithm == "RS512" else ECKey).import_key(raw)
    gateway.answers = [(200, b"a note")] * 8
    for _ in range(8):
        assert client(gateway, raw, "k1").checkpoint() == "a note"
    for path, _, body in gateway.asked[::2]:
        form = {name: value for name, (value,) in parse_qs(body.decode()).items()}
        assert (path, form["scope"]) == ("/oauth2/token", SCOPE)
        token = jwt.decode(form["client_assertion"], public, algorithms=[algorithm])
        assert token.header == {"alg": algorithm, "typ": "JWT", "kid": "k1"}
        said = token.claims
        assert (said["iss"], said["sub"], said["aud"]) == ("w", "w", f"{gateway.url}/oauth2/token")
        assert said["exp"] - said["iat"] == ASSERTION_SECONDS
    assert len({parse_qs(body.decode())["client_assertion"][0] for _, _, body in gateway.asked[::2]}) == 8


def test_a_token_is_used_until_it_is_refused(gateway: Gateway) -> None:
    gateway.answers = [(200, b"one"), (200, b"two"), (401, b""), (200, b"three"), (401, b""), (401, b"")]
    asking = client(gateway)
    assert [asking.checkpoint() for _ in range(3)] == ["one", "two", "three"]
    assert [path for path, _, _ in gateway.asked].count("/oauth2/token") == 2
    assert gateway.asked[1][1]["Authorization"] == "Bearer t"
    with pytest.raises(GatewayRefuses) as refused:
        asking.checkpoint()
    assert refused.value.status == 401


def test_the_line_is_handed_in_as_text(gateway: Gateway) -> None:
    gateway.answers = [(200, b"{}")]
    client(gateway).hand_in("a note \u2014\n")
    path, headers, body = gateway.asked[-1]
    assert path == "/audit/v1/logs/a-log/cosignatures"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert body.decode() == "a note \u2014\n"


def test_a_consistency_proof_is_read(gateway: Gateway) -> None:
    gateway.answers = [(200, json.dumps({"hashes": [to_base64(bytes(32)), to_base64(b"\1" * 32)]}).encode())]
    assert client(gateway).consistency(3, 7) == (bytes(32), b"\1" * 32)
    assert gateway.asked[-1][0] == "/audit/v1/logs/a-log/witness/consistency?first=3&second=7"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"hashes": 3}', b'{"hashes": [3]}', b'{"hashes": ["AAAA"]}'])
def test_a_proof_that_is_none_is_a_fault(gateway: Gateway, body: bytes) -> None:
    gateway.answers = [(200, body)]
    with pytest.raises(WitnessFault):
        client(gateway).consistency(3, 7)


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (503, b"", GatewayUnreachable),
        (429, b"", GatewayUnreachable),
        (404, b"", GatewayRefuses),
        (302, b"", GatewayRefuses),
        (200, b"\xff", WitnessFault),
        (200, b"x" * (ANSWER_MAX_BYTES + 1), WitnessFault),
    ],
)
def test_an_answer_that_is_none_is_a_fault(
    gateway: Gateway, status: int, body: bytes, fault: type[WitnessFault]
) -> None:
    gateway.answers = [(status, body)]
    with pytest.raises(fault):
        client(gateway).checkpoint()


def test_nobody_there_is_unreachable(gateway: Gateway) -> None:
    asking = client(gateway)
    gateway.socket.close()
    with pytest.raises(GatewayUnreachable):
        asking.checkpoint()


@pytest.mark.parametrize("url", ["", "gateway.test", "ftp://gateway.test", "file:///etc", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(WitnessFault):
        GatewayClient(url, "a-log", "w", ClientKey(KEY))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no key",
        pem(ec.generate_private_key(ec.SECP256K1())),
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256R1()), b"word"),
    ],
)
def test_a_client_key_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(WitnessFault):
        ClientKey(raw)
