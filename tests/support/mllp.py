"""What tests of MLLP share: certificates of an invented authority, a sending system, messages of invented people."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.mllp import Framer, framed

HOST = "127.0.0.1"
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Both as files."""
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        for path, text in zip(paths, (self.certificate, self.key), strict=True):
            path.write_bytes(text)
        return paths


class Authority:
    """Signs certificates for this machine's loopback."""

    def __init__(self, name: str = "Test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = self._signed(self._name, self._key, ca=True)

    @property
    def pem(self) -> bytes:
        """Its own certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, *hosts: str) -> Pair:
        """A certificate of this name, for 127.0.0.1, localhost and further hosts."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._signed(subject, key, ca=False, hosts=hosts)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Pair(made.public_bytes(serialization.Encoding.PEM), private)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool, hosts: Sequence[str] = ()
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        names = [*map(x509.DNSName, ("localhost", *hosts)), x509.IPAddress(ip_address(HOST))]
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=ca,
                    crl_sign=ca,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .sign(self._key, hashes.SHA256())
        )


@cache
def authority() -> Authority:
    """The authority that tests trust."""
    return Authority()


class Sender:
    """A sending system: frames out, answers in, on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._framer = Framer(1 << 20)
        self._answers: list[bytes] = []

    @classmethod
    async def connect(cls, port: int, tls: ssl.SSLContext | None = None) -> Sender:
        """Connect to a listener on loopback."""
        return cls(*await asyncio.open_connection(HOST, port, ssl=tls))

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """The next answer. Raises EOFError where the line is closed before it."""
        while not self._answers:
            data = await self.reader.read(65_536)
            if not data:
                raise EOFError
            self._answers += [one for one in self._framer.feed(data) if isinstance(one, bytes)]
        return self._answers.pop(0)

    async def ask(self, message: bytes) -> bytes:
        """Send a message and wait for its answer."""
        await self.send(framed(message))
        return await self.answer()

    async def closed(self) -> bool:
        """Wait until the other side has hung up."""
        try:
            while await self.reader.read(65_536):
                pass
        except OSError:
            pass
        return True

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


def control_id() -> str:
    """A message control id that no other message of this run has."""
    return f"M{next(_numbers):09d}"


def adt(  # noqa: PLR0913 - a message says many things, each by its name
    event: str = "A31",
    *,
    nhs: str = "9990000026",
    local: str = "7700001",
    family: str = "ARDEN",
    given: str = "ZELDA",
    street: str = "1 ACACIA MEWS",
    phone: str = "07700900123",
    verified: str = "01",
    identifier: str | None = None,
    processing: str = "T",
    more: Sequence[str] = (),
    modes: str = "||",
) -> bytes:
    """A message about an invented patient."""
    pid = f"PID|1||{nhs}^^^NHS^NH~{local}^^^RXL^MR||{family}^{given}||19880214|F|||{street}^^BLACKPOOL^^ZZ99 9ZZ"
    pid += f"||{phone}" + "|" * 19 + verified
    return "\r".join(
        [header(f"ADT^{event}", identifier, processing, modes), f"EVN|{event}|20260301090000", pid, *more, ""]
    ).encode()


def header(type_: str, identifier: str | None = None, processing: str = "T", modes: str = "||") -> str:
    """An MSH segment of an invented hospital system."""
    named = identifier or control_id()
    return f"MSH|^~\\&|PAS|RXL|PROVIDE-GATEWAY|PROVIDE|20260301090000||{type_}|{named}|{processing}|2.4|{modes}"


def codes(answers: Sequence[bytes]) -> list[str]:
    """MSA-1 of each answer."""
    return [one.split(b"\rMSA|", 1)[1].split(b"|", 1)[0].decode() for one in answers]


def told(answer: bytes) -> tuple[str, str]:
    """MSA-1 and MSA-2 of an answer."""
    fields = answer.split(b"\rMSA|", 1)[1].split(b"\r", 1)[0].split(b"|")
    return fields[0].decode(), fields[1].decode()


def pieces(data: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    """The same bytes in pieces of these sizes."""
    at = 0
    while at < len(data):
        size = max(1, next(sizes))
        yield data[at : at + size]
        at += size
