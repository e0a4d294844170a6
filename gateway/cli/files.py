"""The files somebody names on the command line: what keeps one from being used is said in one way by every command.

Missing, a directory, not to be read by this user, empty, too large, not text, not what it should be: each ends the
command as refused (1), naming the file. The key a client signs in with is part of how a command is set up (3).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from gateway.cli.support import NOT_SET_UP, REFUSED, end, refuse

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

    from gateway.agreement import Agreement
    from gateway.tokens.certificates import Certificate

SMALL = 1024 * 1024  # bytes: a key, a certificate, a bundle of authorities, a signature
LARGE = 64 * 1024 * 1024  # bytes: an agreement, a record, a feed of messages


def content(file: Path, most: int = SMALL) -> bytes:
    """What a file holds, at most so many bytes."""
    try:
        with file.open("rb") as opened:
            body = opened.read(most + 1)
    except OSError as failed:
        refuse_file(file, failed)
    if not body:
        refuse(f"{file}: is empty")
    if len(body) > most:
        refuse(f"{file}: is larger than {most // 1024} KiB")
    return body


def text(file: Path, most: int = SMALL) -> str:
    """What a file holds, as text."""
    try:
        return content(file, most).decode()
    except UnicodeDecodeError:
        refuse(f"{file}: is not text in UTF-8")


def usable(file: Path, code: int = REFUSED) -> Path:
    """A file that can be read and holds something, for whoever reads it a piece at a time."""
    try:
        with file.open("rb") as opened:
            empty = not opened.read(1)
    except OSError as failed:
        refuse_file(file, failed, code)
    if empty:
        end(f"{file}: is empty", code)
    return file


def refuse_file(file: Path | str, failed: OSError, code: int = REFUSED) -> NoReturn:
    """End the command because a file cannot be read."""
    words = next((words for kind, words in _WORDS if isinstance(failed, kind)), failed.strerror)
    end(f"{file}: {words}", code)


def agreement(file: Path) -> Agreement:
    """The agreement of a file; a fault in it ends the command with file, line and reason."""
    from gateway.agreement import AgreementUnreadable, parse

    try:
        return parse(content(file, LARGE))
    except AgreementUnreadable as unreadable:
        where = f"{unreadable.path}: " if unreadable.path else ""
        refuse(f"{file}:{unreadable.line}: {where}{unreadable.reason}")


def certificate(file: Path) -> Certificate:
    """The one certificate of a file."""
    from gateway.tokens.certificates import Certificate, CertificateUnusable

    try:
        return Certificate.of(text(file))
    except CertificateUnusable as unusable:
        refuse(f"{file}: {unusable}")


def authorities(file: Path) -> str:
    """The certificates of a file that are trusted, PEM."""
    from cryptography import x509

    pem = text(file)
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        refuse(f"{file}: not PEM certificates")
    return pem


def private_key(file: Path) -> RSAKey:
    """The private key that a client signs in with."""
    from gateway.demo.client import key_of

    try:
        found = key_of(usable(file, NOT_SET_UP))
    except (OSError, ValueError):
        found = None
    if found is None or not found.is_private:
        end(f"{file}: not a private RSA key in PEM", NOT_SET_UP)
    return found


def json_object(file: Path) -> dict[str, Any]:
    """The JSON object of a file."""
    import json

    try:
        found = json.loads(text(file))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        refuse(f"{file}: not a JSON object")
    return found


_WORDS: tuple[tuple[type[OSError], str], ...] = (
    (FileNotFoundError, "there is no such file"),
    (NotADirectoryError, "there is no such file"),
    (IsADirectoryError, "is a directory, not a file"),
    (PermissionError, "may not be read by this user"),
)
