"""Where somebody goes after signing in: a page of the console, and never anywhere else (open redirects)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

HOME = "/console"


def checked(to: str | None) -> str:
    """A page of the console as it was wanted; anything else is its first page."""
    if to is None or not _PAGE.fullmatch(to):
        return HOME
    path = urlsplit(to).path
    return HOME if path.startswith(_NEVER) or _DOTS.search(path) else to


_PAGE = re.compile(r"/console(?:/[A-Za-z0-9._~-]+)*(?:\?[A-Za-z0-9._~=&%:+-]*)?")
_DOTS = re.compile(r"/\.{1,2}(?:/|$)")
_NEVER = ("/console/sign", "/console/static", "/console/leave", "/console/locked")
