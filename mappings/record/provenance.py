"""What a record says of itself: where it came from, what is doubtful in it, and what was only counted.

Source: domain.md section 5.3; design.md section 5.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mappings.record.part import Code, Item, Part


class Source(Part):
    """Where a record came from and how it was read."""

    gate: ClassVar[str | None] = "event.source"
    organisation: Annotated[str, Item("event.source")]
    system: Annotated[str | None, Item("event.source")] = None
    adapter: Annotated[str | None, Item("event.source")] = None
    profile: Annotated[str | None, Item("event.source")] = None
    profile_hash: Annotated[str | None, Item("event.source")] = None


class Finding(Part):
    """A remark on the quality of the input: a path and a code, never a value (P7)."""

    gate: ClassVar[str | None] = "event.quality"
    path: Annotated[str, Item("event.quality")]
    code: Annotated[Code, Item("event.quality")]


class Tally(Part):
    """How many parts of one item there were, in place of the parts themselves."""

    gate: ClassVar[str | None] = "{of}"
    fills: ClassVar[str | None] = "of"
    choices: ClassVar[tuple[str, ...]] = ()  # any item: a tally belongs to what it counts
    of: Annotated[str, Item("{of}")]
    count: Annotated[int, Field(ge=0), Item("{of}")]

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return self.of
