"""What can go wrong, and the one face each failure shows outside.

    GatewayError
    ├── BadRequest            the caller's words cannot be used
    │   ├── BadParameter      a query parameter or header
    │   ├── BadMediaType      a content type or character set nobody reads
    │   ├── BodyTooLarge      more bytes than the limit
    │   └── Unprocessable     well formed, but not acceptable
    ├── UnreadableInput       a record no adapter could read; kept in quarantine
    ├── MarkingRefused        SECRET and above
    ├── IdempotencyConflict   the same key with another body
    ├── StaleVersion          an older version of a record than the one held
    ├── AlreadyAnswered       an answer to a delivery that changes nothing: a repeat
    ├── NotAuthenticated      no token, or not a good one
    ├── NotPermitted          a good token without the scope or the person behind it
    ├── NotFound              there is none, or none for this caller: the same to them (P8)
    ├── VersionConflict       If-Match names another version
    ├── PreconditionMissing   a change without If-Match
    ├── TransitionRefused     a change the referral's state does not allow
    ├── WitnessDisagrees      a witness has seen another history of a log
    ├── NotAcceptable         no representation the caller accepts
    ├── NotServed             an interaction of a standard that this server does not offer, of anything
    ├── Busy                  too many units wait for a commit
    ├── Unreachable           the database does not answer, so nothing can be read
    └── NotSealed             the evidence could not be committed, so nothing is released (P1)

`FACES` gives each leaf its HTTP status, its problem type (RFC 9457) and its FHIR issue code; `face` finds it. An error
nobody foresaw shows nothing of itself. A test finds the leaf without a face.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """One reason: where (a path, never a value), a code, and words."""

    path: str
    code: str
    words: str


class GatewayError(Exception):
    """Anything the gateway refuses or cannot do. The message is for the caller and holds no personal data (P7)."""

    def __init__(self, words: str, *, details: Sequence[Detail] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.details = tuple(details)
        self.headers = dict(headers or {})


class BadRequest(GatewayError):
    """The caller's words cannot be used."""


class BadParameter(BadRequest):
    """A query parameter or header cannot be used."""


class BadMediaType(BadRequest):
    """A content type or character set nobody here reads."""


class BodyTooLarge(BadRequest):
    """More bytes than the limit."""


class Unprocessable(BadRequest):
    """Well formed, but not acceptable."""


class UnreadableInput(GatewayError):
    """A record no adapter could read. The bytes are kept, encrypted, in quarantine (P6).

    `fault` is the first reason's code, `quarantine` the reference a human will look at, None where nothing was kept.
    """

    def __init__(self, words: str, *, fault: str, details: Sequence[Detail], quarantine: str | None) -> None:
        super().__init__(words, details=details)
        self.fault = fault
        self.quarantine = quarantine


class MarkingRefused(GatewayError):
    """Marked SECRET or above: refused, nothing kept but the sealed refusal (N7)."""


class IdempotencyConflict(GatewayError):
    """The same idempotency key, or the same record version, with another body."""


class StaleVersion(GatewayError):
    """An older version of a record than the one held."""


class AlreadyAnswered(GatewayError):
    """An answer to a delivery that changes nothing, for the referral stands there already: a repeat."""


class NotAuthenticated(GatewayError):
    """No token, or not a good one (RFC 6750)."""


class NotPermitted(GatewayError):
    """A good token without the scope, or without the person on whose behalf the agreement wants the call made.

    `reason` is the code the denial is sealed with.
    """

    def __init__(self, words: str, *, reason: str = "not-permitted", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words, headers=headers)
        self.reason = reason


class NotFound(GatewayError):
    """There is none, or none for this caller; nobody outside can tell which (P8)."""


class VersionConflict(GatewayError):
    """`If-Match` names another version than the current one."""


class PreconditionMissing(GatewayError):
    """A change without `If-Match`."""


class TransitionRefused(GatewayError):
    """A change that the referral's state does not allow."""


class WitnessDisagrees(GatewayError):
    """A witness has seen a history of a log that is not the one kept here."""


class NotAcceptable(GatewayError):
    """No representation the caller accepts."""


class NotServed(GatewayError):
    """An interaction that the standard has and this server does not offer, whatever it is asked of."""


class Busy(GatewayError):
    """Too many units wait for a commit."""


class Unreachable(GatewayError):
    """The database does not answer, or cannot be read: nothing is known, so nothing is said."""


class NotSealed(GatewayError):
    """The evidence could not be committed, so nothing is released (P1)."""


@dataclass(frozen=True, slots=True)
class Face:
    """How one kind of failure looks outside: HTTP status, problem type and title (RFC 9457), FHIR issue code."""

    status: int
    type: str
    title: str
    issue: str


FACES: Mapping[type[GatewayError], Face] = {
    BadRequest: Face(400, "bad-request", "The request cannot be used", "invalid"),
    BadParameter: Face(400, "bad-parameter", "A parameter cannot be used", "invalid"),
    BadMediaType: Face(415, "media-type", "This content type is not read here", "not-supported"),
    BodyTooLarge: Face(413, "too-large", "The body is larger than the limit", "too-long"),
    Unprocessable: Face(422, "unprocessable", "The content cannot be accepted", "processing"),
    UnreadableInput: Face(400, "unreadable", "The record cannot be read", "structure"),
    MarkingRefused: Face(422, "marking-refused", "The protective marking is above this gateway's", "security"),
    IdempotencyConflict: Face(422, "idempotency-conflict", "The key was used with another body", "conflict"),
    StaleVersion: Face(409, "stale-version", "A newer version is held", "conflict"),
    AlreadyAnswered: Face(409, "already-answered", "It was answered so before", "duplicate"),
    NotAuthenticated: Face(401, "not-authenticated", "A valid access token is needed", "login"),
    NotPermitted: Face(403, "not-permitted", "The token does not allow this", "forbidden"),
    NotFound: Face(404, "not-found", "There is none", "not-found"),
    VersionConflict: Face(412, "version-conflict", "It has changed since it was read", "conflict"),
    PreconditionMissing: Face(428, "precondition-missing", "If-Match is needed", "required"),
    TransitionRefused: Face(422, "transition-refused", "The referral's state does not allow this", "business-rule"),
    WitnessDisagrees: Face(409, "witness-disagrees", "The log's history is another", "conflict"),
    NotServed: Face(405, "not-served", "This server does not offer that", "not-supported"),
    NotAcceptable: Face(406, "not-acceptable", "No representation fits the Accept header", "not-supported"),
    Busy: Face(503, "busy", "Too much is waiting", "throttled"),
    Unreachable: Face(503, "unreachable", "The database does not answer", "transient"),
    NotSealed: Face(503, "not-sealed", "The evidence could not be sealed, so nothing is released", "transient"),
}

UNFORESEEN = Face(500, "internal", "Something failed here", "exception")


def face(error: BaseException) -> Face:
    """The outside face of an error; an unforeseen one tells nothing."""
    return next((FACES[cls] for cls in type(error).__mro__ if cls in FACES), UNFORESEEN)
