"""Whether a form comes from a page of this address, as far as the browser says: nothing a page elsewhere can forge.

`Sec-Fetch-Site` is said by every current browser over HTTPS and on loopback. `Origin` is `null` from pages that send no
referrer, so that it counts only where the other is missing, or names a foreign address.
Source: W3C Fetch Metadata Request Headers; Fetch standard, section 3.2 (`Origin`).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request


def from_elsewhere(request: Request, public_url: str) -> bool:
    """Whether a form was sent from elsewhere, or by what does not say."""
    parts = urlsplit(public_url)
    ours = f"{parts.scheme}://{parts.netloc}"
    origins = [one for one in request.headers.getlist("origin") if one != "null"]
    if any(one != ours for one in origins):
        return True
    site = request.headers.get("sec-fetch-site")
    return site != "same-origin" if site is not None else not origins
