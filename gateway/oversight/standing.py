"""The agreements of a log as they stood: each text by its hash, and each version's state at any entry.

A version is in force from the entry that activated it to the one that suspended, ended or replaced it. Signatures are
not looked at, for the log seals an activation only where every party has signed; `Terms` verifies them where that
happens.

Source: design.md sections 6 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.agreement import Agreement, AgreementUnreadable, Standing, State, Status, Terms, parse
from gateway.evidence import Event
from gateway.oversight.entries import Sealed
from gateway.oversight.judge import NotDerivable, Why

STEPS: Mapping[str, State] = {
    Event.AGREEMENT_ACTIVATED.value: State.IN_FORCE,
    Event.AGREEMENT_RESUMED.value: State.IN_FORCE,
    Event.AGREEMENT_SUSPENDED.value: State.SUSPENDED,
    Event.AGREEMENT_SUPERSEDED.value: State.SUPERSEDED,
    Event.AGREEMENT_ENDED.value: State.ENDED,
}
"""What each step of an agreement's life leaves it at. Coming into force takes the place of every other version."""


class Supposed(Terms):
    """Terms taken as signed by every party; with no state of the log's, as in force whatever their dates say."""

    def __init__(self, agreement: Agreement, state: State | None = None) -> None:
        super().__init__(agreement, (), {}, state or State.IN_FORCE)
        object.__setattr__(self, "missing", ())  # where a cached value lies: nothing is verified
        object.__setattr__(self, "always", state is None)

    def standing(self, now: datetime) -> Standing:
        """See `Terms.standing`."""
        always: bool = self.__dict__["always"]
        return _IN_FORCE if always else super().standing(now)


_IN_FORCE = Standing(Status.IN_FORCE)


class Texts:
    """The agreements of a source, each read once, by the hash entries name."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._known: dict[str, Agreement | Why] = {}

    def of(self, digest: str) -> Agreement:
        """The agreement of a hash. Raises NotDerivable."""
        known = self._known.get(digest)
        if known is None:
            known = self._known[digest] = self._read(digest)
        if isinstance(known, Why):
            raise NotDerivable(known)
        return known

    def _read(self, digest: str) -> Agreement | Why:
        text = self._texts.get(digest)
        if text is None:
            return Why.NO_TEXT
        try:
            agreement = parse(text)
        except AgreementUnreadable:
            return Why.UNREADABLE_TEXT
        return agreement if agreement.hash == digest else Why.UNREADABLE_TEXT


class Past:
    """The agreements of a log as they stood, followed from entry to entry."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._states: dict[str, State] = {}
        self._terms: dict[str, Terms] = {}

    def follow(self, one: Sealed) -> None:
        """Take note of an entry, if it is a step of an agreement's life."""
        state = STEPS.get(one.said["event"])
        if state is None or one.said["agreement"] is None or one.said["outcome"] != "permitted":
            return
        digest = one.said["agreement"]["hash"]
        if state is State.IN_FORCE:
            self._states = {other: State.SUPERSEDED if s is State.IN_FORCE else s for other, s in self._states.items()}
            self._terms.clear()
        self._states[digest] = state
        self._terms.pop(digest, None)

    def terms(self, digest: str) -> Terms:
        """The terms of a version as they stand at the entry last followed. Raises NotDerivable."""
        found = self._terms.get(digest)
        if found is None:
            agreement = self._texts.of(digest)
            found = self._terms[digest] = Supposed(agreement, self.state(digest))
        return found

    def state(self, digest: str) -> State:
        """What a version stands at; a draft where no step of it has been seen."""
        return self._states.get(digest, State.DRAFT)

    def in_force(self) -> Agreement | None:
        """The version in force at the entry last followed; None where there is none, or its text is not at hand."""
        for digest, state in self._states.items():
            if state is State.IN_FORCE:
                try:
                    return self._texts.of(digest)
                except NotDerivable:
                    return None
        return None
