"""Why the token server refuses: a closed set of reasons, and the OAuth error each of them is outside.

The reason is sealed in the log; the caller is told the error of RFC 6749 section 5.2 and words for whoever set the
client up, after those of the NHS's own server (domain.md section 2.7). Words never repeat what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gateway.tokens.authlib_names import OAuth2Error


class Reason(StrEnum):
    """Every reason there is."""

    REQUEST_MALFORMED = "request-malformed"
    GRANT_UNSUPPORTED = "grant-unsupported"
    ASSERTION_MISSING = "assertion-missing"
    ASSERTION_MALFORMED = "assertion-malformed"
    ALGORITHM_REFUSED = "algorithm-refused"
    ISSUER_WRONG = "issuer-wrong"
    UNKNOWN_CLIENT = "unknown-client"
    CLIENT_MISMATCH = "client-mismatch"
    KEY_UNKNOWN = "key-unknown"
    SIGNATURE_INVALID = "signature-invalid"
    CLIENT_REVOKED = "client-revoked"
    AUDIENCE_WRONG = "audience-wrong"
    ASSERTION_EXPIRED = "assertion-expired"
    ASSERTION_LIFETIME = "assertion-lifetime"
    ASSERTION_EARLY = "assertion-early"
    JTI_MISSING = "jti-missing"
    ASSERTION_REPLAYED = "assertion-replayed"
    END_USER_MALFORMED = "end-user-malformed"
    SCOPE_REFUSED = "scope-refused"


_ERRORS: Mapping[Reason, str] = {
    Reason.REQUEST_MALFORMED: "invalid_request",
    Reason.GRANT_UNSUPPORTED: "unsupported_grant_type",
    Reason.END_USER_MALFORMED: "invalid_request",
    Reason.SCOPE_REFUSED: "invalid_scope",
}
"""The errors of what is not about the client; all else is `invalid_client`."""


class Refused(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """A request the token server refuses. `words` are ASCII without quotes or backslashes (RFC 6749 section 5.2).

    `sealed` says that its entry is committed already.
    """

    def __init__(self, reason: Reason, words: str, *, sealed: bool = False) -> None:
        error = _ERRORS.get(reason, "invalid_client")
        super().__init__(error=error, description=words, status_code=401 if error == "invalid_client" else 400)
        self.reason = reason
        self.sealed = sealed

    def get_headers(self) -> list[tuple[str, str]]:
        """The headers; a 401 names the one way to authenticate here (RFC 9110 section 15.5.2 wants a challenge)."""
        headers: list[tuple[str, str]] = super().get_headers()
        return [*headers, ("WWW-Authenticate", "private_key_jwt")] if self.status_code == 401 else headers  # noqa: PLR2004 - HTTP's number
