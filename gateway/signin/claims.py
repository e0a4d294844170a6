"""Who has signed in, as an OpenID provider's claims say it; read strictly, and turned into an ordinary caller.

Pure: claims in, a person or a refusal out. What a person may see is not decided here: a role opens pages, and the
agreement decides for the team what stands on them. Nothing of a claim but its name goes into a refusal.

Source: OpenID Connect Core 1.0 section 5.1; domain.md section 2.7 (CIS2, and the police equivalent).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import orjson

from gateway.evidence import OPERATOR_LOG, Caller
from gateway.settings import Settings
from gateway.tokens.scopes import Scope

CLIENT = "console"
"""The client that an entry names where somebody acted by a page."""


class Role(StrEnum):
    """What a person does here."""

    ADVISER = "adviser"
    SAFEGUARDING = "safeguarding-lead"
    OFFICER = "officer"
    GUARDIAN = "guardian"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    EVALUATOR = "evaluator"


class ClaimsRefused(Exception):
    """Claims that make nobody who can work here. `claim` is its name here, `reason` the code to seal."""

    def __init__(self, claim: str, reason: str, words: str) -> None:
        super().__init__(f"{claim}: {words}")
        self.claim = claim
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has signed in.

    `id` is the staff id as sealed (`Caller.user`), `name` stands in the page's header and is sealed nowhere.
    `organisation` is an ODS code, a force code or `operator`; `recipient` the team as the agreement calls it. No
    `areas` are all of the team's.
    """

    id: str
    name: str
    organisation: str
    recipient: str | None
    agreement: str | None
    roles: tuple[Role, ...]
    areas: tuple[str, ...] = ()

    def caller(self, request_id: str | None, correlation: str | None = None, *, acting: Role | None = None) -> Caller:
        """The caller that every journey knows; `acting` is the role of the page, the first of theirs without one."""
        log = OPERATOR_LOG if Role.OPERATOR in self.roles else self.agreement
        return Caller(
            client=CLIENT,
            organisation=self.organisation,
            recipient=self.recipient,
            scopes=frozenset(scope.value for role in self.roles for scope in _SCOPES[role]),
            agreements=frozenset([log] if log else ()),
            user=self.id,
            role=_WORD[acting or self.roles[0]],
            request=request_id,
            correlation=correlation,
        )

    def to_json(self) -> bytes:
        """The person as a session keeps it."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> Person:
        """A person that `to_json` wrote."""
        found = orjson.loads(text)
        found["roles"] = tuple(Role(one) for one in found["roles"])
        return cls(**{**found, "areas": tuple(found["areas"])})


_SCOPES: Mapping[Role, tuple[Scope, ...]] = {
    Role.ADVISER: (Scope.REFERRAL_READ, Scope.REFERRAL_WRITE, Scope.INFORMATION_ANSWER),
    Role.SAFEGUARDING: (Scope.REFERRAL_READ, Scope.REFERRAL_WRITE, Scope.INFORMATION_ANSWER),
    Role.OFFICER: (Scope.FEEDBACK_READ, Scope.NOTICE_READ, Scope.INFORMATION_REQUEST),
    Role.GUARDIAN: (Scope.GOVERNANCE_REVIEW, Scope.AGREEMENT_READ),
    Role.AUDITOR: (Scope.LOG_READ, Scope.PACK_EXPORT, Scope.AGREEMENT_READ),
    Role.OPERATOR: (),
    Role.EVALUATOR: (),
}
"""What a role may ask of the journeys; pages for the operator and for evaluation have interfaces of their own."""

_WORD: Mapping[Role, str] = {
    Role.ADVISER: "idva",
    Role.SAFEGUARDING: "safeguarding-lead",
    Role.OFFICER: "officer-in-case",
    Role.GUARDIAN: "caldicott-guardian",
    Role.AUDITOR: "auditor",
    Role.OPERATOR: "operator",
    Role.EVALUATOR: "evaluator",
}
"""The role as agreements and entries call it."""

_TEAM_NEEDED = frozenset({Role.ADVISER, Role.SAFEGUARDING, Role.OFFICER})
_ALONE = frozenset({Role.OPERATOR, Role.AUDITOR})
"""Whoever runs the gateway, or looks after what was done, does nothing else in it."""
_NHS = frozenset({Role.ADVISER, Role.SAFEGUARDING, Role.GUARDIAN, Role.EVALUATOR})


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """What a provider calls each claim, and each role; `agreement_of_all` is for those whose claims name none."""

    staff: str = "staff_id"
    organisation: str = "organisation"
    team: str = "team"
    agreement: str = "agreement"
    roles: str = "roles"
    areas: str = "areas"
    role_words: Mapping[str, str] | None = None
    agreement_of_all: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> ClaimNames:
        """The names that the settings give."""
        return cls(
            settings.oidc_claim_staff,
            settings.oidc_claim_organisation,
            settings.oidc_claim_team,
            settings.oidc_claim_agreement,
            settings.oidc_claim_roles,
            settings.oidc_claim_areas,
            settings.oidc_role_words,
            settings.oidc_agreement,
        )


def person_of(claims: Mapping[str, Any], names: ClaimNames) -> Person:
    """The person that claims describe. Raises ClaimsRefused.

    A role that is none of ours is passed over, for a provider gives roles of other systems too; one at least is
    needed. Everything else that is there must be readable.
    """
    roles = _roles(claims, names)
    organisation = _code(claims, "organisation", names.organisation, _ORGANISATION)
    staff = _code(claims, "staff", names.staff, _STAFF)
    if organisation is None or staff is None:
        raise _refused("staff" if staff is None else "organisation", "claim-missing", "is not given")
    recipient = _code(claims, "team", names.team, _WORD_64)
    agreement = _code(claims, "agreement", names.agreement, _WORD_64)
    if Role.OPERATOR not in roles:
        agreement = agreement or names.agreement_of_all
    person = Person(
        id=staff,
        name=_name(claims.get("name")) or staff,
        organisation=organisation,
        recipient=recipient,
        agreement=agreement,
        roles=roles,
        areas=tuple(_texts(claims, "areas", names.areas, _WORD_64)),
    )
    check(person)
    return person


def check(person: Person) -> None:
    """Raise ClaimsRefused where roles do not go together, or want what the person does not have."""
    roles = frozenset(person.roles)
    if not roles:
        raise _refused("roles", "role-missing", "has none that is known here")
    if (len(roles) > 1 and roles & _ALONE) or (Role.OFFICER in roles and roles & _NHS):
        raise _refused("roles", "roles-together", "has roles that one person cannot have together")
    if Role.OPERATOR in roles:
        if (person.organisation, person.recipient, person.agreement) != (OPERATOR_LOG, None, None):
            raise _refused("organisation", "operator-elsewhere", "an operator is of no party, team or agreement")
        return
    if person.organisation == OPERATOR_LOG:
        raise _refused("organisation", "operator-elsewhere", "is not the operator's")
    if person.agreement is None:
        raise _refused("agreement", "agreement-missing", "is not given, and no setting names one for all")
    if person.recipient is None and roles & _TEAM_NEEDED:
        raise _refused("team", "team-missing", "is not given")


_STAFF = re.compile(r"[!#-\[\]-~]{1,64}")  # the alphabet of an audit entry
_ORGANISATION = re.compile(r"[A-Za-z0-9-]{1,32}")
_WORD_64 = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LIST_MAX = 200  # a provider's groups may be many; more is no person's
_NAME_MAX = 200


def _refused(claim: str, reason: str, words: str) -> ClaimsRefused:
    return ClaimsRefused(claim, reason, words)


def _found(claims: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - foreign JSON
    """The claim of a name; where there is none, the one its parts between full stops lead to."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _code(claims: Mapping[str, Any], claim: str, name: str, form: re.Pattern[str]) -> str | None:
    value = _found(claims, name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not form.fullmatch(value):
        raise _refused(claim, "claim-malformed", "is not a code")
    return value


def _texts(claims: Mapping[str, Any], claim: str, name: str, form: re.Pattern[str]) -> Sequence[str]:
    value = _found(claims, name)
    if value is None:
        return ()
    if isinstance(value, str):  # one, or several with blanks between, as scopes are written
        value = value.split()
    if not isinstance(value, list) or len(value) > _LIST_MAX:
        raise _refused(claim, "claim-malformed", f"is not a list of at most {_LIST_MAX}")
    if not all(isinstance(one, str) and form.fullmatch(one) for one in value):
        raise _refused(claim, "claim-malformed", "is not a list of codes")
    return list(dict.fromkeys(value))


_ANY_ROLE = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")
_KNOWN = frozenset(role.value for role in Role)


def _roles(claims: Mapping[str, Any], names: ClaimNames) -> tuple[Role, ...]:
    given = _texts(claims, "roles", names.roles, _ANY_ROLE)
    words = names.role_words
    meant = {words.get(one) for one in given} if words is not None else set(given)
    return tuple(role for role in Role if role.value in meant & _KNOWN)


def _name(value: object) -> str | None:
    """A name for the page's header: of what cannot be shown, none."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        return None
    return value.strip()[:_NAME_MAX]
