"""The twin of a webhook: each signed request as a file in a folder of a developer's machine. Never in production.

What would be posted is put there as an HTTP message (RFC 9112), its request line naming the target in the absolute
form, so that the signature can be checked from the file alone. It is called by the delivery's id, so that the same
delivery is one file however often it is tried. Nobody answers a file: it counts as having arrived. Refused in
production when it is registered, at each push, and when the gateway starts.

Source: style.md (each outside service has a console twin).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from gateway.delivery.fault import TryAgain
from gateway.delivery.files import put
from gateway.webhook.address import URL_MAX, AddressRefused

_BEGINS: Final = "file://localhost"  # RFC 8089: with a host, for what is signed names one


def url_of(folder: Path) -> str:
    """The URL a folder is registered by."""
    return _BEGINS + quote(str(folder.absolute()))


def is_folder(url: str) -> bool:
    """Whether a URL is that of a folder."""
    return url.startswith(_BEGINS + "/")


def folder_of(url: str, *, production: bool) -> Path | None:
    """The folder that a URL names; None where it names none. Raises AddressRefused, which never repeats the URL."""
    if not is_folder(url):
        return None
    if production:
        raise AddressRefused("files are for development: production pushes to a system")
    folder = Path(unquote(urlsplit(url).path))
    if len(url) > URL_MAX or not folder.is_dir():
        raise AddressRefused(f"the folder is not there, or its URL has more than {URL_MAX} characters")
    return folder


def drop(folder: Path, delivery: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
    """Put a request into a folder. Raises TryAgain."""
    head = [f"POST {url} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    said = "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode()
    try:
        put(folder, f"{delivery}.http", said + body)
    except OSError:
        raise TryAgain("folder") from None
