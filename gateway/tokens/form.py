"""The form of a request to the token server: strict, because a parameter sent twice can mean two things to two readers.

Pure: bytes in, parameters out. RFC 6749 section 3.2: no parameter more than once, and one without a value is as good as
not sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from gateway.tokens.refusal import Reason, Refused

FORM_MAX_BYTES = 32_768  # an access token and an assertion of the greatest length, and the rest
_PARAMETERS_MAX = 20
_BARE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")  # the library would take it for text


def parse(body: bytes) -> Mapping[str, str]:
    """The parameters of an `application/x-www-form-urlencoded` body, in UTF-8. Raises Refused."""
    if _BARE_PERCENT.search(body):
        raise _UNREADABLE()
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_PARAMETERS_MAX,
        )
    except ValueError:
        raise _UNREADABLE() from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Refused(Reason.REQUEST_MALFORMED, "A parameter is given more than once")
    return {name: value for name, value in form.items() if value}


def _UNREADABLE() -> Refused:  # noqa: N802 - a constant that has to be made anew each time it is raised
    return Refused(Reason.REQUEST_MALFORMED, "The body is not an application/x-www-form-urlencoded form")
