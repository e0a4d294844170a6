"""Which places of a document are spoken for, and by what: what a sweep compares a document with."""

from __future__ import annotations

from enum import IntEnum


class Claim(IntEnum):
    """Who speaks for a place: a row for its scalar, a row for the scalars of its list, a section, or an ignore row."""

    SCALAR = 1
    LIST = 2
    PARTS = 3
    IGNORED = 4


class Claims(dict["str | None", "Claim | Claims"]):
    """Claims by key, nested as the document is; under None, the claim on a place that also has places inside.

    Filled while a profile loads, never changed after it; so unions are made once and kept.
    """

    __slots__ = ("_listed", "_unions", "read")

    def __init__(self) -> None:
        """No claims."""
        super().__init__()
        self._unions: dict[int, tuple[Claims, Claims]] = {}
        self._listed: Claims | None = None
        self.read: frozenset[str | None] | None = None

    def add(self, steps: tuple[str, ...], what: Claim) -> None:
        """Add a claim on a place; of two claims on one place the wider stands."""
        here = self
        *before, last = steps
        for step in before:
            inner = here.get(step)
            if not isinstance(inner, Claims):
                here[step] = wider = Claims()
                if inner is not None:
                    wider[None] = inner
                inner = wider
            here = inner
        _put(here, last, what)

    def at(self, steps: tuple[str, ...]) -> Claim | Claims | None:
        """What is claimed at a place, or for the whole of a place around it; None where nothing is."""
        here: Claim | Claims | None = self
        for step in steps:
            if here in (Claim.SCALAR, Claim.LIST):  # a row that reads a text reads nothing beside it
                return None
            here = here.get(step) if isinstance(here, Claims) else here
        return here

    def union(self, other: Claims) -> Claims:
        """What either claims: a leaf that one of two shapes reads is read."""
        if other is self:
            return self
        known = self._unions.get(id(other))
        if known is None:
            known = self._unions[id(other)] = (
                other,
                self._joined(other),
            )  # holds `other`, so that its id stays its own
        return known[1]

    def known(self) -> frozenset[str | None]:
        """The keys of which a row reads a scalar; from then on they stand in `read`, where a sweep looks first."""
        wide = (Claim.SCALAR, Claim.LIST)
        self.read = frozenset(
            key for key, what in self.items() if (what.get(None) if isinstance(what, Claims) else what) in wide
        )
        return self.read

    @property
    def listed(self) -> Claims:
        """What is claimed inside each of several, where one was expected: what rows for lists and ignore rows claim."""
        if self._listed is None:
            self._listed = Claims()
            for key, what in self.items():
                inner = what.listed if isinstance(what, Claims) else what
                if inner in (Claim.LIST, Claim.IGNORED) or isinstance(inner, Claims):
                    self._listed[key] = inner
        return self._listed

    def _joined(self, other: Claims) -> Claims:
        found = Claims()
        for claims in (self, other):
            for key, what in claims.items():
                _put(found, key, what)
        return found


def _put(claims: Claims, key: str | None, what: Claim | Claims) -> None:
    there = claims.get(key)
    if there is None:
        claims[key] = what
    elif isinstance(there, Claims) and isinstance(what, Claims):
        claims[key] = there.union(what)
    elif isinstance(there, Claims) or isinstance(what, Claims):
        inner, own = (there, what) if isinstance(there, Claims) else (what, there)
        one = Claims()
        _put(one, None, own)
        claims[key] = inner.union(one)  # type: ignore[union-attr] # one is claims and the other is not
    else:
        claims[key] = max(there, what)
