"""The witness over HTTP: each refusal's status, bounded bodies, TLS, and what monitors may read. Real sockets."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from audit.errors import NotCosigned
from audit.note import Signer, split
from audit.witness import log_keys
from audit.witness_server import BODY_MAX_BYTES, STATUSES, WitnessServer, tls_context
from audit.witness_state import Witness
from tests.audit.witnessed import AT, LOG, WITNESS, forked, numbered, submission


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WitnessServer]:
    witness = Witness(WITNESS, log_keys([LOG.verifier]), tmp_path / "state", lambda: AT)
    with WitnessServer(("127.0.0.1", 0), witness) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.media = answer.headers["Content-Type"]
        self.text = answer.read().decode()


@pytest.fixture
def connection(server: WitnessServer) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    yield made
    made.close()


def post(connection: http.client.HTTPConnection, body: bytes, path: str = "/add-checkpoint") -> Answer:
    connection.request("POST", path, body)
    return Answer(connection.getresponse())


def get(connection: http.client.HTTPConnection, path: str) -> Answer:
    connection.request("GET", path)
    return Answer(connection.getresponse())


def test_every_refusal_has_a_status() -> None:
    assert set(STATUSES) == set(NotCosigned.__subclasses__())


def test_a_log_is_cosigned_along_its_growth_on_one_connection(connection: http.client.HTTPConnection) -> None:
    old = 0
    for size in (0, 1, 1, 7, 40):
        given = submission(old, numbered(size))
        answer = post(connection, given.to_bytes())
        assert answer.status == 200
        text, (_, of_witness) = split(given.note + answer.text)
        assert WITNESS.verifier.verify(text, of_witness.raw) == AT
        old = size
    monitored = get(connection, f"/{sha256(LOG.name.encode()).hexdigest()}/checkpoint")
    assert monitored.status == 200
    assert monitored.text == given.note + answer.text


def test_each_refusal_by_its_status(connection: http.client.HTTPConnection) -> None:
    assert post(connection, submission(0, numbered(5)).to_bytes()).status == 200
    assert post(connection, b"old 05\n\n" + submission(5, numbered(6)).note.encode()).status == 400
    assert post(connection, submission(9, numbered(6)).to_bytes()).status == 400
    namesake, stranger = Signer.from_seed(LOG.name, bytes(32)), Signer.from_seed("log.example/other", bytes(32))
    assert post(connection, submission(5, numbered(6), namesake).to_bytes()).status == 403
    assert post(connection, submission(0, numbered(6), stranger).to_bytes()).status == 404
    moved = post(connection, submission(0, numbered(6)).to_bytes())
    assert (moved.status, moved.media, moved.text) == (409, "text/x.tlog.size", "5\n")
    assert post(connection, submission(5, forked(6, 2)).to_bytes()).status == 422
    assert post(connection, submission(5, forked(5, 2)).to_bytes()).status == 422


def test_what_is_not_there(connection: http.client.HTTPConnection) -> None:
    for path in ("/", "/checkpoint", f"/{'0' * 64}/checkpoint", f"/{sha256(LOG.name.encode()).hexdigest()}/checkpoint"):
        assert get(connection, path).status == 404
    assert post(connection, submission(0, numbered(1)).to_bytes(), "/sign-subtree").status == 404


def test_a_body_is_bounded_and_its_length_stated(server: WitnessServer) -> None:
    for header, status in (
        (f"Content-Length: {BODY_MAX_BYTES + 1}", 413),
        (f"Content-Length: {'9' * 5000}", 413),
        ("Content-Length: -1", 411),
        ("Content-Length: \u0661".encode().decode("latin-1"), 411),
        ("Transfer-Encoding: chunked", 411),
    ):
        with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=10) as raw:
            raw.sendall(f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n{header}\r\n\r\n".encode("latin-1"))
            assert f" {status} ".encode() in raw.makefile("rb").readline()


def test_one_silent_client_does_not_stop_another(server: WitnessServer, connection: http.client.HTTPConnection) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=10) as silent:
        silent.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\n")
        assert post(connection, submission(0, numbered(5)).to_bytes()).status == 200


def test_over_tls_a_client_that_does_not_shake_hands_stops_no_other(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    witness = Witness(WITNESS, log_keys([LOG.verifier]), tmp_path / "state", lambda: AT)
    trusted = ssl.create_default_context(cafile=str(certificate))
    with WitnessServer(("127.0.0.1", 0), witness, tls_context(certificate, key)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = server.server_address[1]
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            secured = http.client.HTTPSConnection("localhost", port, timeout=10, context=trusted)
            assert post(secured, submission(0, numbered(5)).to_bytes()).status == 200
            secured.close()
        server.shutdown()
        thread.join()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(private, SHA256())
    )
    certificate, key = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key


def test_a_spoilt_state_is_the_witness_s_own_fault(
    server: WitnessServer, connection: http.client.HTTPConnection
) -> None:
    digest = sha256(LOG.name.encode()).hexdigest()
    (server.witness.directory / f"{digest}.checkpoint").write_bytes(b"spoilt")
    assert post(connection, submission(0, numbered(5)).to_bytes()).status == 500
    assert get(connection, f"/{digest}/checkpoint").status == 500
