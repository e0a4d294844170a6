"""A hospital's safeguarding notice: a FHIR Bundle, `transaction` or `message`, in UK Core shapes, becomes a record.

The Bundle holds one ServiceRequest, or where there is none one Flag, that says what the notice is and about whom. Its
subject is the victim; another Patient under 18 on the day of the notice is a child, any other somebody else; a
contained Basic of our own `suspect` code is the suspect. References are followed by full URL, by type and id, and to
what is contained. What is resolved is handed to a profile (`mappings/nhs/notice.toml`) as a tree of plain names, so
that which code means what stays data, and what no row reads is counted.

Every code that is no safeguarding concern of the closed list (`mappings.concerns`) is a clinical fact of the person it
is said of. The address and telephone of a patient marked as restricted is a safe one, whatever use it states (domain.md
sections 2.6, 4.5 N1). What says that it means something else (`modifierExtension`, `implicitRules`, `doNotPerform`) is
read by a person, and so is a message that answers another, and a subject whose record is no longer in use. What does
not stand (`standing.py`), a question answered with no, and consent or a grade of somebody else, is counted and not
read; two NHS numbers are none. Nothing is decided here.

Source: FHIR R4 Bundle (transaction, message); UK Core Patient, ServiceRequest, Flag; domain.md sections 2.3, 2.10.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.nhs.fhir.errors import FhirRefused
from adapters.nhs.fhir.models import Json
from adapters.nhs.fhir.noticechecks import ENVELOPE, READ, check_header, check_plain, says_concern, says_what
from adapters.nhs.fhir.noticeparts import (
    CHANNELS,
    concepts,
    consent,
    day_of,
    first,
    is_child,
    is_suspect,
    person_name,
    places,
    risk,
    snomed_codes,
    suspect,
    words,
)
from adapters.nhs.fhir.parse import parse
from adapters.nhs.fhir.standing import answers_no, current, stands
from adapters.nhs.fhir.strict import Limits as FhirLimits
from adapters.nhs.fhir.ukcore import ethnic_category_of, nhs_number_of, ods_code_of
from adapters.socket import Fault, Limits, Problem, Reading, Unreadable
from mappings.concerns import concern_of
from mappings.profile import Profile
from mappings.tree import Value

NOTICE_TYPES: Final = frozenset({"transaction", "message"})
"""The types of Bundle that bring a notice."""


@dataclass(frozen=True, slots=True)
class NoticeReader:
    """The adapter."""

    name: str = "nhs.fhir"
    media_types: tuple[str, ...] = ("application/fhir+json", "application/fhir+xml")

    def read(self, body: bytes, profile: Profile, limits: Limits) -> Reading:
        """Read one Bundle. Raises `Unreadable`."""
        bounds = FhirLimits(max_bytes=limits.max_bytes, max_depth=limits.max_depth)
        try:
            content = parse(body, limits=bounds).content
        except FhirRefused as refused:
            fault = _FAULTS.get(refused.issue_code, Fault.MALFORMED)
            if fault is Fault.TOO_DEEP and refused.expression is not None:  # of depth nobody can say where
                fault = Fault.TOO_MANY_ELEMENTS
            raise Unreadable(Problem(refused.expression or "", fault)) from refused
        return profile.apply(_Notice(content).tree())


READER = NoticeReader()

_FAULTS: Final[Mapping[str, Fault]] = {
    "too-long": Fault.TOO_LARGE,
    "too-costly": Fault.TOO_DEEP,
    "structure": Fault.WRONG_TYPE,
    "security": Fault.DOCTYPE,
    "value": Fault.NUMBER_TOO_LARGE,
}
_GIVEN: Final = frozenset({"POST", "PUT"})
_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class _Notice:
    """One Bundle: its resources by every name they are referred to, and the tree that a profile reads."""

    def __init__(self, bundle: Json) -> None:
        if bundle["resourceType"] != "Bundle" or bundle.get("type") not in NOTICE_TYPES:
            raise Unreadable(Problem("Bundle.type", Fault.UNKNOWN_CODE))
        self.bundle = bundle
        self.resources: list[Json] = []
        self.found: dict[str, Json] = {}
        self.twice: set[str] = set()
        self.contained: dict[str, Json] = {}
        check_plain("Bundle", {name: value for name, value in bundle.items() if name != "entry"})
        for at, entry in enumerate(bundle.get("entry", ())):
            self._add(at, entry)
        self.notice = self._one()
        self.contained |= {f"#{one['id']}": one for one in self.notice.get("contained", ()) if "id" in one}

    def _add(self, at: int, entry: Json) -> None:
        check_plain(f"Bundle.entry[{at}]", entry)
        resource = entry.get("resource")
        if resource is None:
            raise Unreadable(Problem(f"Bundle.entry[{at}].resource", Fault.MISSING))
        if self.bundle["type"] == "message":
            if at == 0:
                check_header(resource)
        elif entry.get("request", {}).get("method") not in _GIVEN:
            raise Unreadable(Problem(f"Bundle.entry[{at}].request.method", Fault.UNKNOWN_CODE))
        for one in (resource, *resource.get("contained", ())):
            if says_what(one):
                check_plain(f"Bundle.entry[{at}].resource", one)
        self.resources.append(resource)
        names = {entry["fullUrl"]} if "fullUrl" in entry else set()
        if "id" in resource:
            names.add(f"{resource['resourceType']}/{resource['id']}")
        for name in names:
            if self.found.setdefault(name, resource) is not resource:
                self.twice.add(name)

    def _one(self) -> Json:
        """The resource that is the notice."""
        for type_ in ("ServiceRequest", "Flag"):
            found = self._of(type_)
            if len(found) > 1:
                raise Unreadable(Problem(f"Bundle.entry.resource.ofType({type_})", Fault.SEVERAL_INCIDENTS))
            if found:
                return found[0]
        raise Unreadable(Problem("Bundle.entry.resource.ofType(ServiceRequest)", Fault.MISSING))

    def _own_id(self) -> str | None:
        """The id of the notice, where it is its own at its source: what is created by POST has none that counts."""
        id_: str | None = self.notice.get("id")
        entry = next(one for one in self.bundle["entry"] if one["resource"] is self.notice)
        put = entry.get("request", {}).get("method") == "PUT"
        lasting = put or _ADDRESS.match(entry.get("fullUrl", "")) or _UUID.fullmatch(id_ or "")
        return id_ if lasting else None

    def _of(self, type_: str) -> list[Json]:
        return [one for one in self.resources if one["resourceType"] == type_]

    def tree(self) -> dict[str, Value]:
        """The Bundle as a profile reads it."""
        notice = self.notice
        subject = self._resolved(notice.get("subject"))
        if subject is None or subject["resourceType"] != "Patient":
            raise Unreadable(Problem(f"{notice['resourceType']}.subject", Fault.MISSING))
        if not stands(subject):
            place = "Patient.active" if subject.get("active") is False else "Patient.link"
            raise Unreadable(Problem(place, Fault.NOT_READABLE))
        self.on = on = day_of(notice.get("authoredOn") or self.bundle.get("timestamp"))
        others = [one for one in self._of("Patient") if one is not subject and stands(one)]
        children = [one for one in others if is_child(one, on)]
        related = [one for one in others if one not in children] + list(filter(stands, self._of("RelatedPerson")))
        identifiers = notice.get("identifier", ())
        found: dict[str, Value] = {
            "document": first(self.bundle.get("identifier", {}).get("value"), self.bundle.get("id")),
            "identifier": first(*(one.get("value") for one in identifiers), self._own_id()),
            "status": notice.get("status"),
            "authored": first(notice.get("authoredOn"), self.bundle.get("timestamp")),
            "occurred": first(
                notice.get("occurrenceDateTime"),
                notice.get("occurrencePeriod", {}).get("start"),
                notice.get("period", {}).get("start"),
            ),
            "area": first(*(text for place in notice.get("locationCode", ()) for text in words(place))),
            "concerns": [code for code in self._codes() if concern_of(code) is not None],
            "note": "\n".join(one["text"] for one in notice.get("note", ()) if one.get("text")),
            "victim": [self._person(subject)],
            "child": [self._person(one) for one in children],
            "other": [self._person(one) for one in related],
            "suspect": [suspect(one) for one in self.contained.values() if is_suspect(one)],
            "consent": [consent(one, on) for one in self._of("Consent") if self._is_read(one)],
            "risk": [risk(one) for one in self._of("RiskAssessment") if self._is_read(one)],
            "unread": self._unread(),
        }
        return found

    def _unread(self) -> dict[str, Value]:
        """What nobody reads, by type: whole resources, and elements of those that are read; the sweep counts it."""
        found: dict[str, list[Value]] = {}
        for resource in self.resources:
            known = READ.get(resource["resourceType"], frozenset()) if self._is_read(resource) else frozenset()
            rest = {name: _plain(value) for name, value in resource.items() if name not in known | ENVELOPE}
            for name in known & _IN_USE & resource.keys():
                if past := [one for one in resource[name] if one not in self._current(resource, name)]:
                    rest[name] = _plain(past)
            if rest:
                found.setdefault(resource["resourceType"], []).append(rest)
        return dict(found)

    def _codes(self) -> Iterator[str]:
        """The SNOMED CT codes of the notice and of what comes with it, each once."""
        said: dict[str, None] = {}
        for resource in filter(self._is_read, self.resources):
            for concept in concepts(resource):
                said |= dict.fromkeys(snomed_codes(concept))
        yield from said

    def _is_read(self, resource: Json) -> bool:
        """Whether a resource says anything of this notice. Raises `Unreadable` where nobody can say of whom it is."""
        if resource is self.notice:
            return True  # whether it stands is what its status says
        if answers_no(resource) and says_concern(resource):
            return False
        name = _HERS.get(resource["resourceType"])
        if name is None or name not in resource or not stands(resource):
            return stands(resource)
        whose, her = self._resolved(resource[name]), self._resolved(self.notice["subject"])
        if whose is None and all(one is her for one in self._of("Patient")):
            return True  # a reference that leads nowhere, and nobody else it could mean
        if whose is None:
            raise Unreadable(Problem(f"{resource['resourceType']}.{name}", Fault.MISSING))
        return whose is her

    def _current(self, person: Json, name: str) -> list[Json]:
        """What of a person is in use on the day of the notice; of NHS numbers that differ, none."""
        found = current(person[name], self.on)
        if name == "name":
            return found or list(person[name])  # an old name is better than none
        if name == "identifier":
            numbers = {one.value for part in found if (one := nhs_number_of({"identifier": [part]}))}
            return [part for part in found if len(numbers) < _TWO or not nhs_number_of({"identifier": [part]})]
        return [part for part in found if name != "telecom" or part.get("system") in CHANNELS]

    def _resolved(self, reference: Any) -> Json | None:  # noqa: ANN401 - what was sent
        to = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(to, str):
            return None
        if to in self.twice:
            raise Unreadable(Problem("Bundle.entry", Fault.AMBIGUOUS_LINK))
        to = to.partition("/_history/")[0]  # whichever version is meant, there is one of it here
        return self.contained.get(to) or self.found.get(to)

    def _person(self, resource: Json) -> dict[str, Value]:
        """A Patient or RelatedPerson, with what is clinically said of them in the Bundle."""
        clinical: list[Value] = list(self._clinical(resource))
        resource = resource | {name: self._current(resource, name) for name in _IN_USE & resource.keys()}
        number = nhs_number_of(resource)
        practices = resource.get("generalPractitioner", ())
        return {
            **person_name(resource.get("name", ())),
            "birth": resource.get("birthDate"),
            "gender": resource.get("gender"),
            "deceased": True if "deceasedDateTime" in resource else resource.get("deceasedBoolean"),
            "nhs_number": number.value if number else None,
            "nhs_number_status": number.status if number else None,
            "ethnicity": ethnic_category_of(resource),
            "practice": first(*(ods_code_of(one) or one.get("display") for one in practices)),
            "language": first(*(text for one in resource.get("communication", ()) for text in words(one["language"]))),
            "clinical": clinical,
            **places(resource, self.on),
        }

    def _clinical(self, person: Json) -> Iterator[str]:
        """What Conditions, Observations and other coded words say of a person, but for the concerns of the list."""
        for resource in self.resources:
            about = self._resolved(resource.get("subject") or resource.get("patient"))
            if about is not person:
                continue
            for concept in concepts(resource):
                if not any(concern_of(code) for code in snomed_codes(concept)):
                    yield ": ".join(words(concept))
            value = resource.get("valueQuantity")
            if isinstance(value, dict):
                yield " ".join(str(value[key]) for key in ("value", "unit") if key in value)
            if isinstance(resource.get("valueString"), str):
                yield resource["valueString"]
            if resource is not self.notice:
                yield from (one["text"] for one in resource.get("note", ()) if one.get("text"))


_TWO: Final = 2
_IN_USE: Final = frozenset({"identifier", "name", "address", "telecom"})
"""What of a person is in use for a time."""
_HERS: Final[Mapping[str, str]] = {"Consent": "patient", "RiskAssessment": "subject"}
"""What is read only of the victim, and where it says whose it is."""


def _plain(value: Any) -> Value:  # noqa: ANN401 - what was sent
    """A value as a tree holds it: decimals as text."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
