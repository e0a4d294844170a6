"""What a reading left behind: every leaf of the document that no row speaks for, counted, and the first hundred named.

A sweep goes through the whole document once, in its order, and follows no link. Nothing is dropped in silence
(domain.md section 5.2, point 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mappings.claims import Claim, Claims
from mappings.reading import Loss
from mappings.tree import TEXT, Linked, Trail, Value, rendered, says_something

MAX_NAMED = 100
"""How many losses a reading names; it counts them all."""

_NONE = Claims()
_OWN_TEXT = Claims()
_OWN_TEXT.add((TEXT,), Claim.SCALAR)
_SCALAR, _LIST = Claim.SCALAR, Claim.LIST  # looked up once: this loop sees every leaf
_TEXTS = frozenset({str})


@dataclass(slots=True)
class Sweep:
    """One sweep: `visited` are the claims on the dicts that were read, by identity; the rest is what it found."""

    visited: dict[int, Claims]
    leaves: int = 0
    ignored: int = 0
    lost: int = 0
    losses: list[Loss] = field(default_factory=list)

    def over(self, root: dict[str, Value]) -> None:
        """Sweep a whole document."""
        self._dict(root, "", _NONE)

    def attached(self, places: Sequence[Trail]) -> None:
        """Count what is attached to the document as lost, each by its place: an attachment is never passed on."""
        self.lost += len(places)
        named = [Loss(rendered(place), "attachment") for place in places[:MAX_NAMED]]
        self.losses[:0] = named
        del self.losses[MAX_NAMED:]

    def _dict(self, node: dict[str, Value], path: Trail, claims: Claims) -> None:
        own = self.visited.get(id(node))
        if own is not None:
            claims = own.union(claims) if claims else own
        values = node.values()
        read = claims.read if claims.read is not None else claims.known()
        if read.issuperset(node) and _TEXTS.issuperset(map(type, values)):  # nothing to lose, as in most rows of CSV
            self.leaves += sum(map(bool, map(str.strip, values)))  # type: ignore[arg-type] # each is of the type str
            return
        claimed = claims.get
        for key, value in node.items():
            kind = type(value)
            if kind is str or kind is bool or kind is int or kind is float:
                if kind is str and (not value or value.isspace()):  # type: ignore[union-attr] # kind says that it is text
                    continue
                self.leaves += 1
                what = claimed(key)
                if what is not _SCALAR and what is not _LIST:
                    self._scalar(path, key, what)
            elif kind is dict:
                what = claimed(key)
                if what is Claim.IGNORED:
                    self._ignore(value)
                else:
                    self._dict(value, (path, key), _within(what))  # type: ignore[arg-type] # kind says that it is a dict
            elif value is not None:
                self._inside(value, (path, key), claimed(key))

    def _scalar(self, path: Trail, key: str, what: Claim | Claims | None) -> None:
        own = what.get(None) if isinstance(what, Claims) else what
        if own is Claim.IGNORED:
            self.ignored += 1
        elif own is not _SCALAR and own is not _LIST:
            self._lose((path, key), what)

    def _inside(self, value: Value, path: Trail, what: Claim | Claims | None) -> None:
        if what is Claim.IGNORED:
            self._ignore(value)
        elif type(value) is dict:
            self._dict(value, path, _within(what))
        elif isinstance(value, list):
            self._list(value, path, what)
        elif isinstance(value, Linked):
            self.leaves += value.leaves
            if what is not Claim.PARTS:
                self._lose(path, what, value.leaves)
            for at, beside in value.rest:
                self._inside(beside, at, None)
        elif says_something(value):
            self.leaves += 1
            self._lose(path, what)

    def _list(self, values: list[Value], path: Trail, claimed: Claim | Claims | None) -> None:
        what, inner = (claimed.get(None), claimed.listed) if isinstance(claimed, Claims) else (claimed, _NONE)
        if what is Claim.LIST:
            inner = inner.union(_OWN_TEXT)
        for index, value in enumerate(values):
            if type(value) is dict:
                self._dict(value, (path, index), inner)
            elif what is Claim.LIST and not isinstance(value, list | Linked):
                self.leaves += says_something(value)
            else:
                self._inside(value, (path, index), what and Claim.PARTS)

    def _ignore(self, value: Value) -> None:
        if isinstance(value, dict):
            for one in value.values():
                self._ignore(one)
        elif isinstance(value, list):
            for one in value:
                self._ignore(one)
        elif isinstance(value, Linked):
            self.leaves += value.leaves
            self.ignored += value.leaves
            for _, beside in value.rest:
                self._ignore(beside)
        elif says_something(value):
            self.leaves += 1
            self.ignored += 1

    def _lose(self, path: Trail, what: Claim | Claims | None, count: int = 1) -> None:
        self.lost += count
        if len(self.losses) < MAX_NAMED:
            self.losses.append(Loss(rendered(path), "no-row" if what is None else "wrong-shape"))


def _within(what: Claim | Claims | None) -> Claims:
    """What is claimed inside a dict; a row for its place speaks for its text."""
    if type(what) is not Claims:
        return _OWN_TEXT if what is _SCALAR or what is _LIST else _NONE
    own = what.get(None)
    return what.union(_OWN_TEXT) if own is _SCALAR or own is _LIST else what
