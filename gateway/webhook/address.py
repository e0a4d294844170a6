"""Which addresses a push may go to: a public host over HTTPS, resolved once, and nothing behind our own walls.

A name is resolved here, every address it has is judged, and the connection goes to one that was judged: what the name
says a moment later does not matter (OWASP, server-side request forgery). In development anything may be reached.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from gateway.delivery.fault import Refused, TryAgain

Resolve = Callable[[str, int], Sequence[str]]
"""A host and a port in, the addresses of the host out. Raises OSError."""


class AddressRefused(Exception):
    """A URL nothing may be pushed to. The message says why, and never repeats the URL."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a push goes: the URL as it is signed, and what of it the connection needs."""

    url: str
    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The `Host` of the request: as in the URL."""
        return urlsplit(self.url).netloc


def target(url: str, *, production: bool) -> Target:
    """The target of a URL. Raises AddressRefused."""
    if not _URL.fullmatch(url):
        raise AddressRefused(
            f"the address is not a URL of at most {URL_MAX} plain characters without query and fragment"
        )
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise AddressRefused("the address names a port there is not") from None
    host = parts.hostname or ""
    if not host or parts.username is not None:
        raise AddressRefused("the address names no host, or a user")
    secure = parts.scheme == "https"
    if production and not secure:
        raise AddressRefused("the address must be https in production")
    if production and _literal(host) is not None and not is_public(host):
        raise AddressRefused("the address is one of a private network")
    return Target(url, secure, host, port or (443 if secure else 80), parts.path or "/")


def pinned(to: Target, resolve: Resolve, *, production: bool) -> tuple[str, ...]:
    """The addresses to connect to, judged. Raises TryAgain where the name does not resolve, Refused where it may not.

    One bad address among them refuses them all: which of them a connection would reach is for the name's owner to say.
    """
    try:
        found = tuple(dict.fromkeys(resolve(to.host, to.port)))
    except OSError:
        found = ()
    if not found:
        raise TryAgain("no-address")
    if production and not all(map(is_public, found)):
        raise Refused("private-address")
    return found


def system_resolve(host: str, port: int) -> Sequence[str]:
    """What the machine's resolver says. Raises OSError."""
    return [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, also where another address lies inside it."""
    found = _literal(address)
    if found is None:
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or (_embedded(found) if found in _NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
        if found.sixtofour is not None or found.teredo is not None:
            return False  # a tunnel to an address nobody judged
    return found.is_global and not found.is_multicast and not found.is_reserved and not found.is_unspecified


URL_MAX = 512
_URL = re.compile(rf"(?=.{{1,{URL_MAX}}}\Z)" r"https?://[A-Za-z0-9._~:\[\]-]+(?:/[A-Za-z0-9._~%/-]*)?")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052


def _embedded(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """An address, None where the host is a name. A scope (`%eth0`) makes it neither."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
