"""PDS FHIR as an application asks it: the parameters of a search out, and what is answered in.

An application is given one patient or none. Of a restricted patient nothing that says where she is comes in, whatever
was sent: the label decides, and a label that is missing or unknown counts as restricted (P5). Whether the patient who
was found is the one who was meant is not judged here, and nothing is sent.

Source: NHS England, PDS FHIR API (patient-search, Meta); domain.md sections 2.1, 2.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from pydantic import ValidationError

from adapters import strictjson
from adapters.socket import Fault, Limits, Unreadable
from mappings.outcome import Cannot
from mappings.reading import Problem
from mappings.record import Address, AddressUse, Birth, Name, Person, Role
from mappings.transforms import nhs_number

Parameters = tuple[tuple[str, str], ...]
"""The query of a search: names and values, in order, not yet encoded."""

LIMITS: Final = Limits(max_bytes=256 * 1024, max_depth=20, max_elements=5_000, max_text=4_096)
"""One patient is 10 KB."""

FOUND: Final = "victim-1"
"""The reference of the patient who was found: a person of no record."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whom PDS is asked for. `area` is the first two characters of her postcode, None where nobody said or may say."""

    family: str
    given: str | None
    born: date
    area: str | None

    def within_area(self) -> Parameters:
        """The search that is unique most often, and in which no restricted patient is found."""
        return (*self.everywhere(), *((("address-postalcode", f"{self.area}*"),) if self.area else ()))

    def everywhere(self) -> Parameters:
        """The same without a postcode: the only one that finds a restricted patient."""
        given = (("given", f"{self.given[:GIVEN]}*"),) if self.given and len(self.given) >= LEAST_LETTERS else ()
        return (
            ("family", self.family[:MOST_LETTERS]),
            *given,
            ("birthdate", f"eq{self.born.isoformat()}"),
            ("_history", "true"),
            ("_fuzzy-match", "false"),
            ("_exact-match", "false"),
        )


GIVEN: Final = 3  # letters of the given name that are asked for: other spellings and short forms are found as well
LEAST_LETTERS: Final = 2  # a wildcard stands after two characters at least
MOST_LETTERS: Final = 35  # of a name


def question(person: Person) -> Question | None:
    """Whom to ask for, from what may leave of a person; None without a family name and a whole day of birth."""
    name = next((one for one in person.names if one.use == "usual"), next(iter(person.names), None))
    family = _words(name.family) if name else ""
    if not family or person.birth is None or person.birth.on is None:
        return None
    given = _words(name.given[0]) if name and name.given else ""
    homes = (one for one in person.addresses if one.use is AddressUse.HOME)
    area = next((found for one in homes if (found := _area(one))), None)
    return Question(family, given or None, person.birth.on, area)


@dataclass(frozen=True, slots=True)
class Found:
    """The one patient. `score` is 1.0 for an exact match, None where none was given; `label` that she is restricted."""

    person: Person
    score: float | None
    label: Literal["R", "V"] | None = None


@dataclass(frozen=True, slots=True)
class Nobody:
    """No patient: none that matches (`no-match`), or one whose record is no longer valid (`invalidated`)."""

    reason: Literal["no-match", "invalidated"] = "no-match"


@dataclass(frozen=True, slots=True)
class Several:
    """More than one patient, which an application is not shown."""


Answer = Found | Nobody | Several


def read(body: bytes, limits: Limits = LIMITS) -> Answer:
    """What a search was answered with. Raises `Unreadable` naming the path."""
    tree = strictjson.parse(body, limits)
    if tree.get("resourceType") == "OperationOutcome":
        if error_code(body, limits) == "TOO_MANY_MATCHES":
            return Several()  # comes with 200
        raise _bad("issue", Fault.UNKNOWN_CODE)
    if tree.get("resourceType") != "Bundle" or tree.get("type") != "searchset":
        raise _bad("resourceType", Fault.UNKNOWN_CODE)
    entries = tree.get("entry", [])
    if not isinstance(entries, list):
        raise _bad("entry", Fault.WRONG_TYPE)
    total = tree.get("total", len(entries))
    if type(total) is not int or (total > 0) is not bool(entries):
        raise _bad("total", Fault.WRONG_TYPE)
    if not entries:
        return Nobody()
    if len(entries) > 1 or total > 1:
        return Several()
    entry = _object(entries[0], "entry[0]")
    patient = _object(entry.get("resource"), "entry[0].resource")
    if patient.get("resourceType") != "Patient":
        raise _bad("entry[0].resource.resourceType", Fault.UNKNOWN_CODE)
    if "REDACTED" in _labels(patient):
        return Nobody("invalidated")
    label = _label(patient)
    return Found(_person(patient, label, "entry[0].resource"), _score(entry.get("search")), label)


def error_code(body: bytes, limits: Limits = LIMITS) -> str | None:
    """The Spine error code of an OperationOutcome; None where the body is none, or names none."""
    try:
        tree = strictjson.parse(body, limits)
    except Unreadable:
        return None
    for issue in _list(tree.get("issue")):
        details = issue.get("details") if isinstance(issue, dict) else None
        for coding in _list(details.get("coding")) if isinstance(details, dict) else ():
            code = coding.get("code") if isinstance(coding, dict) else None
            if isinstance(code, str) and _CODE.fullmatch(code):
                return code
    return None


def _person(patient: Mapping[str, Any], label: str | None, path: str) -> Person:
    number, status = _number(patient, path)
    try:
        return Person(
            ref=FOUND,
            role=Role.VICTIM,
            names=tuple(_name(one) for one in _list(patient.get("name")) if isinstance(one, dict)),
            birth=_birth(patient.get("birthDate"), path),
            sex=gender if isinstance(gender := patient.get("gender"), str) and gender in _GENDERS else None,
            nhs_number=number,
            nhs_number_status=status,
            addresses=tuple(_addresses(patient)) if label is None else (),
            deceased=True if "deceasedDateTime" in patient or patient.get("deceasedBoolean") is True else None,
        )
    except ValidationError as invalid:
        first = invalid.errors(include_input=False)[0]["loc"]
        raise _bad(f"{path}.{first[0]}", Fault.WRONG_TYPE) from None


def _number(patient: Mapping[str, Any], path: str) -> tuple[str, str]:
    """The NHS number, which is also the resource's id, and its verification status as England says it."""
    for at, one in enumerate(_list(patient.get("identifier"))):
        if not isinstance(one, dict) or str(one.get("system", "")).casefold() != _NHS_NUMBER.casefold():
            continue
        try:
            number = nhs_number(one.get("value"))
        except Cannot:
            raise _bad(f"{path}.identifier[{at}].value", Fault.NOT_READABLE) from None
        if patient.get("id") != number:
            raise _bad(f"{path}.id", Fault.NOT_READABLE)
        return number, _status(one)
    raise _bad(f"{path}.identifier", Fault.MISSING)


def _status(identifier: Mapping[str, Any]) -> str:
    """England's code, from either code system; a number without one is present and not traced."""
    for extension in _list(identifier.get("extension")):
        if isinstance(extension, dict) and extension.get("url") == _VERIFICATION:
            concept = extension.get("valueCodeableConcept")
            for coding in _list(concept.get("coding")) if isinstance(concept, dict) else ():
                code = coding.get("code") if isinstance(coding, dict) else None
                if isinstance(code, str) and (code in _ENGLAND or code in STATUS_OF_TEXT):
                    return STATUS_OF_TEXT.get(code, code)
    return "02"


STATUS_OF_TEXT: Final[Mapping[str, str]] = {
    "number-present-and-verified": "01",
    "number-present-but-not-traced": "02",
    "trace-required": "03",
    "trace-attempted": "04",
    "trace-needs-to-be-resolved": "05",
    "trace-in-progress": "06",
    "number-not-present-and-trace-not-required": "07",
    "trace-postponed": "08",
}
"""The UK code system's words as England's numbers; PDS itself writes numbers under either system's address."""


def _labels(patient: Mapping[str, Any]) -> set[str]:
    meta = patient.get("meta")
    labels = _list(meta.get("security")) if isinstance(meta, dict) else []
    return {one["code"] for one in labels if isinstance(one, dict) and isinstance(one.get("code"), str)}


def _label(patient: Mapping[str, Any]) -> Literal["R", "V"] | None:
    """None where she is unrestricted and nothing else is said; whatever is unknown restricts (P5)."""
    found = _labels(patient)
    return None if found == {"U"} else "V" if "V" in found else "R"


def _name(one: Mapping[str, Any]) -> Name:
    given = tuple(name for name in _list(one.get("given")) if isinstance(name, str))
    use = one.get("use")
    return Name(family=one.get("family"), given=given, use=use if isinstance(use, str) and use in _USES else "usual")


def _birth(value: object, path: str) -> Birth | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _bad(f"{path}.birthDate", Fault.WRONG_TYPE)
    try:
        if len(value) == _YEAR_DIGITS:
            return Birth(year=int(value))
        return Birth(on=date.fromisoformat(value)) if len(value) == _DAY_CHARACTERS else None
    except ValueError:
        raise _bad(f"{path}.birthDate", Fault.NOT_READABLE) from None


def _addresses(patient: Mapping[str, Any]) -> list[Address]:
    """Homes alone: a temporary address may be where she is safe."""
    found = []
    for one in _list(patient.get("address")):
        if isinstance(one, dict) and one.get("use") == "home":
            lines = tuple(line for line in _list(one.get("line")) if isinstance(line, str) and line.strip())
            found.append(Address(use=AddressUse.HOME, lines=lines, postcode=one.get("postalCode")))
    return found


def _score(search: object) -> float | None:
    score = search.get("score") if isinstance(search, dict) else None
    if score is None:
        return None
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise _bad("entry[0].search.score", Fault.WRONG_TYPE)
    return float(score)


def _area(address: Address) -> str | None:
    """The first two characters of a postcode, or of its district where no more may leave."""
    found = "".join((address.postcode or address.district or "").split()).upper()[:2]
    return found if _AREA.fullmatch(found) else None


def _words(text: str | None) -> str:
    """A name on one line, without what a search takes for a wildcard."""
    return " ".join((text or "").replace("*", " ").split())


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _bad(path, Fault.WRONG_TYPE)
    return value


def _bad(path: str, fault: Fault) -> Unreadable:
    return Unreadable(Problem(path, fault))


_CODE = re.compile(r"[A-Z][A-Z_]{1,63}")
_AREA = re.compile(r"[A-Z][A-Z0-9]")
_ENGLAND = frozenset({"01", "02", "03", "04", "05", "06", "07", "08"})
_GENDERS = frozenset({"male", "female", "other", "unknown"})
_USES = frozenset({"usual", "temp", "nickname", "old", "maiden"})
_YEAR_DIGITS = 4
_DAY_CHARACTERS = 10
_NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
_VERIFICATION: Final = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
