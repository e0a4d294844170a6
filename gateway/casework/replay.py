"""A case lived again from what was done in it, and what it would be without one act that was entered in error.

Pure: what was kept of the acts in, the standing out, or TransitionRefused. Nothing is guessed: a case that has come to
where it stands by more than what was done in it is not moved, and an act that a later one relies on is not taken out.

    counted   how often she was tried, and how often since she was last reached
    lived     where the acts lead, whose case it is then, and which clocks run
    without   what changes where one of them never was

Source: domain.md sections 1.9 (three attempts), 4.2; UK GDPR articles 5(1)(d) and 16 (accuracy, rectification).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from gateway.agreement.content import Clocks
from gateway.casework.acts import BESIDE, IN_ERROR, NEXT_SHIFT
from gateway.casework.codes import Result
from gateway.casework.effects import MOVED, UNANSWERED, Happened, Lead, leads
from gateway.casework.rules import AFTERWARDS, ATTEMPTS, refused
from gateway.casework.states import ACCEPTING, NEXT_STATUS, following
from gateway.casework.timers import Kind, Plan, Stands, Start, changed
from gateway.errors import TransitionRefused
from mappings.referral import ReferralState as State
from mappings.referral import ReferralStatus as Status


class Kept(Protocol):
    """What was kept of an act: enough to tell what it was."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """What it was."""

    @property
    def codes(self) -> Mapping[str, Any]:
        """What it was, in codes."""

    @property
    def happened_at(self) -> datetime:
        """When it happened, aware."""


class Past(Kept, Protocol):
    """What was kept of an act, and of its record."""

    @property
    def by(self) -> str:
        """Who did it."""

    @property
    def recorded_at(self) -> datetime:
        """When it was recorded, aware."""


K = TypeVar("K", bound=Kept)


def standing(done: Iterable[K]) -> list[K]:
    """What was done and stands: neither what was entered in error nor the words that say so."""
    done = list(done)
    gone = {one.codes["event"] for one in done if one.kind == IN_ERROR}
    return [one for one in done if one.kind != IN_ERROR and one.id not in gone]


def counted(done: Iterable[Kept]) -> tuple[int, int]:
    """How often she was tried, and how often since she was last reached; in the order in which it happened."""
    attempts = fruitless = 0
    for one in sorted(done, key=lambda one: one.happened_at):
        if one.kind == "contact-attempt":
            made = max(attempts + 1, one.codes.get("count", 0))  # a system may count several at once
            attempts, fruitless = made, fruitless + made - attempts
        if one.kind == "engage" or one.codes.get("result") == Result.REACHED:
            fruitless = 0
    return attempts, fruitless


@dataclass(frozen=True, slots=True)
class Offer:
    """What a case begins with: when the clocks of the offer run out, what its clocks are by, and who met her before.

    `scenes` are the ids of what came of a contact at the scene: an adviser beside police, before there was a case.
    """

    due: Mapping[Kind, datetime]
    clocks: Clocks | None
    grade: str | None
    scenes: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Lived:
    """Where acts lead: the standing, whose case it is, the clocks that run by what started them, "" for the offer.

    `broken` are the ids of acts that could not have followed what was before them.
    """

    stands: Stands
    holder: str | None
    clocks: Mapping[Kind, tuple[str, datetime]]
    broken: frozenset[str]


def lived(past: Sequence[Past], offer: Offer) -> Lived:
    """A case from its offer on, act by act, in the order in which they were recorded."""
    life = _Life(offer, {kind: ("", due) for kind, due in offer.due.items()})
    for number, one in enumerate(past):
        if one.id in offer.scenes:
            life.met(one)
        elif one.kind not in BESIDE:
            life.goes_on(one, past[:number])
    return Lived(life.stands, life.holder, life.clocks, frozenset(life.broken))


@dataclass(frozen=True, slots=True)
class Without:
    """What a case is without an act: where it stands, whose it is, and what becomes of its clocks."""

    stands: Stands
    holder: str | None
    plan: Plan


def without(past: Sequence[Past], event: str, offer: Offer, stands: Stands, holder: str | None) -> Without:
    """What a case that stands so, and is somebody's, would be had an act never been.

    Raises TransitionRefused where a later act relies on it, or the case was moved by more than what was done.
    """
    whole, rest = lived(past, offer), lived([one for one in past if one.id != event], offer)
    if rest.broken - whole.broken:
        raise refused("event", "something that was done later relies on it: take that back first")
    if (rest.stands, rest.holder, rest.clocks) == (whole.stands, whole.holder, whole.clocks):
        return Without(stands, holder, Plan())
    if whole.stands != stands:
        raise refused("event", "the case has been moved by more than what was done: change its state by its Task")
    other = {kind for kind in {*whole.clocks, *rest.clocks} if _since(whole, kind) != _since(rest, kind)}
    plan = Plan(
        frozenset(other & whole.clocks.keys()),
        tuple(Start(kind, rest.clocks[kind][1]) for kind in Kind if kind in other & rest.clocks.keys()),
    )
    return Without(rest.stands, rest.holder if whole.holder == holder else holder, plan)


def _since(life: Lived, kind: Kind) -> str | None:
    return life.clocks[kind][0] if kind in life.clocks else None


@dataclass(slots=True)
class _Life:
    """A case while it is lived again."""

    offer: Offer
    clocks: dict[Kind, tuple[str, datetime]]
    stands: Stands = (Status.REQUESTED, State.OFFERED)
    holder: str | None = None
    broken: set[str] = field(default_factory=set)

    def goes_on(self, one: Past, before: Sequence[Past]) -> None:
        """An act, or what a change of a Task amounts to."""
        was = self.stands
        if not self._may(one, before):
            self.broken.add(one.id)
        for to, of in _leads(one, *was):
            self._follow(one, to, of)
        done = Happened(one.kind, one.happened_at, one.codes, {})
        plan = changed(was, self.stands, (done,), self.offer.clocks, self.offer.grade, one.recorded_at)
        for kind in plan.stop:
            self.clocks.pop(kind, None)
        self.clocks |= {start.kind: (one.id, start.due) for start in plan.start}
        if one.kind in {"assign", "hand-over"}:
            self.holder = None if one.codes.get("to") == NEXT_SHIFT else one.codes.get("to")
        elif (self.holder is None or one.kind == "acknowledge") and self.stands[0] in ACCEPTING:
            self.holder = one.by

    def met(self, one: Past) -> None:
        """A contact at the scene: the team has plainly taken the case, and the clock of the first contact runs on."""
        self.clocks.pop(Kind.ACKNOWLEDGE, None)
        if self.stands[0] in UNANSWERED:
            reached = one.codes.get("result") == Result.REACHED
            self.stands = Status.ACCEPTED, State.CONTACTING if reached else State.ACKNOWLEDGED
            self.holder = one.by

    def _may(self, one: Past, before: Sequence[Past]) -> bool:
        """Whether the rules let an act follow, as far as they look at what was done before."""
        if not NEXT_STATUS[self.stands[0]] and one.kind not in AFTERWARDS:
            return False
        gave_up = one.kind == "unable-to-contact" and "ground" not in one.codes
        return not gave_up or counted(before)[1] >= ATTEMPTS

    def _follow(self, one: Past, to: Status | None, of: State | None) -> None:
        status, state = self.stands
        try:
            self.stands = following(status, state, to, of)
        except TransitionRefused:
            self.broken.add(one.id)
            self.stands = to or status, of or state


def _leads(one: Past, status: Status, state: State) -> tuple[Lead, ...]:
    """Where something that was done leads, a change of a Task that told no word of an act among it."""
    if one.kind == "received":
        return ((Status.RECEIVED, None),)
    if one.kind == MOVED:
        return ((Status(one.codes["status"]), State(one.codes["state"])),)
    return leads(one.kind, one.codes, status, state)
