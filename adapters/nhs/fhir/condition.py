"""One search condition: read from a parameter's name and value, and tested on a resource as it was written.

What is tested is what leaves: a resource that a decision has narrowed. So a condition tells nobody of an element that
was withheld from them (P3, P8). Nothing here looks into a database; who narrows the search first is the gateway.

Source: FHIR R4 search, sections 3.1.1.4 (modifiers, token, string, reference, date) and 3.1.1.4.13 (chains).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.nhs.fhir.canonical import police_id
from adapters.nhs.fhir.dates import ALWAYS, Span, fits, interval, span
from adapters.nhs.fhir.errors import FhirRefused
from adapters.nhs.fhir.models import Json
from adapters.nhs.fhir.search import CHAINED, SEARCH, Parameter

ALTERNATIVES_MAX: Final = 100
"""Values of one parameter, with commas between: each is compared with every resource looked at."""
_POLICE: Final = re.compile(re.escape(police_id("")) + "(.+)")
_ESCAPED: Final = re.compile(r"\\([\\,|$])")


@dataclass(frozen=True, slots=True)
class Token:
    """A code or an identifier's value; a None fits any, and a system of "" fits what has none."""

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A literal reference: a type or None for any, and an id."""

    type: str | None
    id: str


Value = Token | Link | str | bool | tuple[str, Span]


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of a resource: one of the values. `through` is the type a chain leads to."""

    name: str
    parameter: Parameter
    modifier: str | None
    values: tuple[Value, ...]
    through: str | None = None

    @property
    def personal(self) -> bool:
        """Whether a value of it would identify somebody."""
        return self.asked.personal

    @property
    def asked(self) -> Parameter:
        """The parameter the values belong to: of a chain, that of the type it leads to."""
        return self.parameter if self.through is None else SEARCH[self.through][CHAINED]

    @property
    def positive(self) -> bool:
        """Whether only what has a value that fits can hold: `:not` and `:missing` find what has none."""
        return self.modifier not in {"not", "missing"}

    def holds(self, resource: Json, related: Callable[[str], Sequence[Json]]) -> bool:
        """Whether it holds; `related` gives the other resources of the same referral by their type."""
        found = [one for path in self.parameter.paths for one in elements(resource, path)]
        if self.through is not None:
            ids = {link.id for one in found if (link := reference_of(one)) is not None}
            others = [one for one in related(self.through) if one["id"] in ids]
            found = [value for one in others for path in self.asked.paths for value in elements(one, path)]
        if self.modifier == "missing":
            return (not found) in self.values
        fit = any(_fit(self, element, value) for element in found for value in self.values)
        return fit is not (self.modifier == "not")


def read_condition(type_: str, name: str, text: str, base_url: str) -> Condition | None:
    """The condition of one parameter on a type; None where the type declares no such parameter.

    Raises `FhirRefused` 400 for a modifier, a chain or a value that is not served: these are never passed over.
    """
    whole, _, chained = name.partition(".")
    base, _, modifier = whole.partition(":")
    parameter = SEARCH[type_].get(base)
    if parameter is None:
        return None
    through = None
    if chained:
        through = next((one for one in parameter.targets if modifier in {"", one}), None)
        if chained != CHAINED or through is None or CHAINED not in SEARCH[through]:
            raise FhirRefused(400, "invalid", None, "a chained search that this server does not declare: see metadata")
        asked, modifier = SEARCH[through][CHAINED], ""
    else:
        asked = parameter
        if modifier and modifier not in parameter.modifiers:
            raise FhirRefused(400, "invalid", None, f"{base} has no such modifier here: see metadata")
    parts = _split(text, ",")
    if len(parts) > ALTERNATIVES_MAX:
        raise FhirRefused(400, "invalid", None, f"{base} has more than {ALTERNATIVES_MAX} alternatives")
    if not all(parts):
        raise FhirRefused(400, "invalid", None, f"{base} has an empty value")
    values = tuple(_value(base, asked, modifier, one, base_url) for one in parts)
    return Condition(base, parameter, modifier or None, values, through)


def identifier_kind(type_: str, token: Token) -> tuple[str, str] | None:
    """What an identifier is of and its normal form, as records are found by (`nhs-number`, `occurrence`, `crime`, …).

    None where the token does not say what it is of.
    """
    if token.code is None:
        return None
    if type_ == "Patient":
        return "nhs-number", token.code  # a Patient is given no other
    of = _POLICE.fullmatch(token.system or "")
    return (of[1], token.code) if of else None


def elements(node: Any, path: str) -> Iterator[Any]:  # noqa: ANN401 - JSON has no one type
    """Every value at a path: names with full stops, lists walked through."""
    name, _, rest = path.partition(".")
    found = node.get(name) if isinstance(node, dict) else None
    for one in found if isinstance(found, list) else [] if found is None else [found]:
        if rest:
            yield from elements(one, rest)
        else:
            yield one


def reference_of(element: Any) -> Link | None:  # noqa: ANN401 - as above
    """The literal reference an element is, None where it is none."""
    type_, stroke, id_ = str(element.get("reference", "") if isinstance(element, dict) else "").partition("/")
    return Link(type_, id_) if stroke else None


def _value(name: str, asked: Parameter, modifier: str, text: str, base_url: str) -> Value:
    if modifier == "missing":
        if text not in {"true", "false"}:
            raise FhirRefused(400, "invalid", None, f"{name}:missing is true or false")
        return text == "true"
    if asked.kind == "date":
        prefix, start, end = interval(text)
        return prefix, (start, end)
    if asked.kind == "token" or modifier == "identifier":
        system, stroke, code = _halves(text)
        return Token(system.casefold() if stroke else None, code.casefold() or None)
    plain = _plain(text)
    if asked.kind == "string":
        return plain if modifier == "exact" else _folded(plain)
    return plain if asked.canonical else _link(plain, modifier, base_url)


def _link(text: str, modifier: str, base_url: str) -> Link:
    """A reference as it is asked for: an id, a type and an id, or the absolute address of a resource of ours."""
    type_, stroke, id_ = text.removeprefix(f"{base_url}/").partition("/")
    if not stroke:
        return Link(modifier or None, text)
    return Link(type_ if modifier in {"", type_} else "", id_)


def _fit(condition: Condition, element: Any, value: Value) -> bool:  # noqa: ANN401 - an element of any type
    asked = condition.asked
    if isinstance(value, Token):
        of = element.get("identifier") if condition.modifier == "identifier" and isinstance(element, dict) else element
        return any(_is(value, system, code) for system, code in _tokens(of, asked.system))
    if isinstance(value, Link):
        found = reference_of(element)
        return found is not None and found.id == value.id and value.type in {None, found.type}
    if isinstance(value, tuple):
        prefix, of_value = value
        return (of_element := _span(element)) is not None and fits(prefix, of_element, of_value)
    if not isinstance(element, str):
        return False
    if asked.kind == "reference" or condition.modifier == "exact":
        return element == value
    folded = _folded(element)
    return str(value) in folded if condition.modifier == "contains" else folded.startswith(str(value))


def _tokens(element: Any, system: str | None) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - as above
    """The systems and codes of an element: a bare code, a Coding, a CodeableConcept, an Identifier."""
    if isinstance(element, str):
        yield system or "", element
    elif isinstance(element, dict):
        for one in element.get("coding", (element,)):
            if (code := one.get("code", one.get("value"))) is not None:
                yield one.get("system", ""), code


def _is(value: Token, system: str, code: str) -> bool:
    """Without regard to case: senders write one system in both ways (domain.md section 2.2), and people values."""
    return value.system in {None, system.casefold()} and value.code in {None, code.casefold()}


def _span(element: Any) -> Span | None:  # noqa: ANN401 - as above
    """The interval of a date, a time, or a Period, whose open ends are open."""
    if isinstance(element, dict):
        start, end = element.get("start"), element.get("end")
        return (span(start)[0] if start else ALWAYS[0], span(end)[1] if end else ALWAYS[1])
    return span(element) if isinstance(element, str) else None


def _folded(text: str) -> str:
    """Without regard to case and accents (FHIR R4 search, section 3.1.1.4.7)."""
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one)).casefold()


def _halves(text: str) -> tuple[str, str, str]:
    """A token's system, whether it gave one, and its code."""
    first, *others = _split(text, "|")
    return (_plain(first), "|", _plain("|".join(others))) if others else ("", "", _plain(first))


def _split(text: str, sign: str) -> list[str]:
    """The parts between signs that are not escaped."""
    parts, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == sign:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
