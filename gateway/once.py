"""A unit that a person may send twice, by pressing a button twice: the second time nothing is done (P2).

The name of the request is claimed in the same transaction, so that of two at once one is done, and the other is told
that it was.

Source: design.md section 2 (P2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from gateway.errors import AlreadyAnswered
from gateway.store.batch import Batch, Unit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Once(Unit[T]):
    """Do a unit, unless a request of this name was done before: then AlreadyAnswered is raised."""

    unit: Unit[T]
    name: bytes

    @property
    def referrals(self) -> Sequence[str]:
        """Those of the unit."""
        return self.unit.referrals

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The name of the request, and those of the unit."""
        return (self.name, *self.unit.claims)

    def apply(self, batch: Batch) -> T:  # noqa: D102 - said by Unit.apply
        if batch.owner(self.name) is not None:
            raise AlreadyAnswered("this was sent before, and is done")
        done = self.unit.apply(batch)
        batch.claim(self.name, b"done")
        return done
