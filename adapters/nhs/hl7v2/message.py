"""A message that has been read: every segment there was, in its order, and the fields that every message has.

Nothing is judged here. A place is named as in the standard: `PID-3[2].1` is the first component of the second
repetition of the third field of the first PID. Values come out unescaped; `""` is HL7's own "delete this".

Source: HL7 v2.4 sections 2.6 to 2.10 and 2.16.9 (MSH); domain.md section 2.9.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from adapters.nhs.hl7v2.delimiters import Delimiters, unescaped
from adapters.nhs.hl7v2.finding import Finding
from adapters.socket import Fault, Problem, Unreadable

NULL: Final = '""'
"""What a sender writes where a value is to be deleted (section 2.7.3); an empty field says nothing."""

HEADERS: Final = frozenset({"MSH", "FHS", "BHS"})
"""The segments whose first two fields are the delimiters."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. `number` counts those of its name from 1; `fields` are as they were sent, the name first.

    A field is divided when it is looked at: most never are.
    """

    name: str
    number: int
    fields: tuple[str, ...] = field(repr=False)
    by: Delimiters = field(repr=False)
    charset: str = field(repr=False)

    def text(self, of: int, component: int = 1, *, repetition: int = 1, subcomponent: int = 1) -> str:
        """One value, unescaped and without outer space; "" where there is none. All count from 1."""
        raw = self.fields[of] if of < len(self.fields) else ""
        if not raw or (of <= 2 and self.name in HEADERS):  # noqa: PLR2004 - the delimiters are no values
            return raw
        by = self.by
        for sign, place in ((by.repetition, repetition), (by.component, component), (by.subcomponent, subcomponent)):
            if sign in raw:
                parts = raw.split(sign)
                raw = parts[place - 1] if 1 <= place <= len(parts) else ""
            elif place != 1:
                return ""
        return unescaped(raw, by, self.charset).strip()

    def each(self, of: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The repetitions of a field from 1, each as its components, as `text` gives them; divided once for all."""
        raw, by = self._raw(of), self.by
        for number, one in enumerate(raw.split(by.repetition) if raw else (), start=1):
            components = (part.partition(by.subcomponent)[0] for part in one.split(by.component))
            yield number, tuple(unescaped(part, by, self.charset).strip() for part in components)

    def repetitions(self, of: int) -> int:
        """How many repetitions a field has; 0 where it is empty."""
        raw = self._raw(of)
        return raw.count(self.by.repetition) + 1 if raw else 0

    def place(self, of: int, component: int = 0, repetition: int = 1) -> str:
        """The name of a place in this segment, as findings and answers say it."""
        again = f"[{repetition}]" if repetition > 1 else ""
        return f"{self.path}-{of}{again}" + (f".{component}" if component else "")

    @property
    def path(self) -> str:
        """The name of the segment, and which of several it is."""
        return f"{self.name}[{self.number}]" if self.number > 1 else self.name

    def _raw(self, of: int) -> str:
        return self.fields[of] if of < len(self.fields) else ""


@dataclass(frozen=True)
class Message:
    """One message. `noted` is what reading it noted; the raw bytes are the caller's to keep."""

    by: Delimiters
    charset: str
    segments: tuple[Segment, ...]
    noted: tuple[Finding, ...] = ()

    def all(self, name: str) -> Iterator[Segment]:
        """The segments of a name, in their order."""
        return (one for one in self.segments if one.name == name)

    def only(self, name: str) -> Segment:
        """The one segment of a name. Raises `Unreadable` where there is none, or several people."""
        found = list(self.all(name))
        if not found:
            raise Unreadable(Problem(name, Fault.MISSING))
        if len(found) > 1:
            raise Unreadable(Problem(found[1].path, Fault.SEVERAL_INCIDENTS))
        return found[0]

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        return next(self.all(name), None)

    def text(self, name: str, of: int, component: int = 1) -> str:
        """A value of the first segment of a name; "" where there is none."""
        found = self.first(name)
        return "" if found is None else found.text(of, component)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many segments of each name there are."""
        return Counter(one.name for one in self.segments)

    @cached_property
    def type(self) -> str:
        """MSH-9 as `ADT^A28`; where only a structure such as `ADT_A31` or `ACK` is said, as `ADT^A31` and `ACK`."""
        header = self.segments[0]
        code, event = header.text(9), header.text(9, 2)
        if not event and "_" in code:
            code, _, event = code.partition("_")
        return f"{code}^{event}" if event else code

    @cached_property
    def control_id(self) -> str:
        """MSH-10: the message's name, which its answer repeats; whole, whatever signs its sender numbers with."""
        raw = self.segments[0].fields[10] if len(self.segments[0].fields) > 10 else ""  # noqa: PLR2004 - the field's number
        return unescaped(raw.rstrip(self.by.encoding.replace(self.by.escape, "")), self.by, self.charset).strip()

    @cached_property
    def sender(self) -> tuple[str, str]:
        """MSH-3 and MSH-4: application and facility."""
        return self.segments[0].text(3), self.segments[0].text(4)

    @cached_property
    def receiver(self) -> tuple[str, str]:
        """MSH-5 and MSH-6: application and facility."""
        return self.segments[0].text(5), self.segments[0].text(6)

    @cached_property
    def processing(self) -> str:
        """MSH-11: `P` production, `T` training, `D` debugging."""
        return self.segments[0].text(11)

    @cached_property
    def version(self) -> str:
        """MSH-12: `2.4`."""
        return self.segments[0].text(12)

    @cached_property
    def accept(self) -> str:
        """MSH-15: when an accept acknowledgement is wanted (`AL`, `NE`, `ER`, `SU`); "" in original mode."""
        return self.segments[0].text(15)

    @cached_property
    def application(self) -> str:
        """MSH-16: when an application acknowledgement is wanted."""
        return self.segments[0].text(16)
