"""What changed between two versions of an agreement: who may learn more, who less, and every other word.

`diff` compares contents as they are hashed: it is empty exactly where the hashes are equal, and a key nobody thought of
is compared like any other. Parts with names are compared by name, lists as sets; a mere change of order is said once.
`reach` adds up the clauses: what each recipient could be given at best, whatever the conditions, before and after.

Nothing here knows of records. What a version would have done to the past is another question.

Source: design.md section 6 (a diff between versions).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.agreement import phrases as words
from gateway.agreement.phrases import ANY
from gateway.agreement.reach import NOTHING, Way, fate_words, fates, reach_of, way_of
from gateway.agreement.reading import Agreement


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `path` names the place by keys, ids and names; None stands where nothing was, or is.

    `item` is the data item it is about and `recipients` those it goes to, where it is about one.
    """

    path: tuple[str, ...]
    way: Way
    before: Any
    after: Any
    words: str
    item: str | None = None
    recipients: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The change as plain JSON values."""
        return {
            "path": list(self.path),
            "way": self.way.value,
            "item": self.item,
            "recipients": list(self.recipients),
            "before": self.before,
            "after": self.after,
            "words": self.words,
        }


def diff(old: Agreement, new: Agreement) -> tuple[Change, ...]:
    """Every difference, in the order of the newer text; empty where both have the same hash."""
    return tuple(differences(plain(old), plain(new)))


def reach(old: Agreement, new: Agreement) -> tuple[Change, ...]:
    """For each recipient and purpose, the items that could go at best before and after, where that differs."""
    before, after = reach_of(plain(old)), reach_of(plain(new))
    found = []
    for road in sorted(before.keys() | after.keys()):
        recipient, purpose, item = road
        was, now = before.get(road, NOTHING), after.get(road, NOTHING)
        if was != now:
            told = f"{recipient} for {purpose}: {words.item(item)}: {fate_words(was)} → {fate_words(now)}"
            way = way_of(was, now)
            found.append(Change(("reach", *road), way, was, now, told, item, (recipient,)))
    return tuple(found)


def to_json(old: Agreement, new: Agreement) -> dict[str, Any]:
    """The whole comparison as plain JSON values."""
    changes = diff(old, new)
    return {
        "from": {"id": old.id, "version": old.version, "hash": old.hash},
        "to": {"id": new.id, "version": new.version, "hash": new.hash},
        "same": not changes,
        "counts": {way.value: sum(one.way is way for one in changes) for way in Way},
        "reach": [one.to_json() for one in reach(old, new)],
        "changes": [one.to_json() for one in changes],
    }


def plain(agreement: Agreement) -> dict[str, Any]:
    """The content of an agreement as plain JSON."""
    content: dict[str, Any] = json.loads(agreement.canonical)
    return content


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """The differences between two contents as plain JSON."""
    for key in [*new, *(key for key in old if key not in new)]:
        before, after = old.get(key), new.get(key)
        if key in _NAMED and before != after:
            yield from _named(key, before or [], after or [])
        elif before != after:
            yield from _said((key,), before, after)


# Parts with names: clauses, holds and prohibitions by what they do, the others word by word.


def _named(group: str, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    before, after = {str(one["id"]): one for one in old}, {str(one["id"]): one for one in new}
    for id_ in [*after, *(id_ for id_ in before if id_ not in after)]:
        was, now = before.get(id_), after.get(id_)
        if was != now:
            yield from _said_if_silent((group, id_), was, now, list(_NAMED[group]((group, id_), was, now)))
    if [id_ for id_ in before if id_ in after] != [id_ for id_ in after if id_ in before]:
        yield _order((group,), list(before), list(after))


def _clause(path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:  # noqa: ANN401 - plain JSON or None
    was, now = old or {}, new or {}
    if old is None or new is None:
        yield _came_or_went(path, old, new, Way.LESS if new is None else Way.MORE)
    else:
        yield from _rest(path, was, now, {"release", "generalise", "withhold", "when", "recipients"})
        yield from _conditions(path, was["when"], now["when"], widening=Way.MORE)
        yield from _members((*path, "recipients"), was["recipients"], now["recipients"], added=Way.MORE)
    to = tuple(dict.fromkeys([*now.get("recipients", ()), *was.get("recipients", ())]))
    before, after = fates(was), fates(now)
    for item in sorted(before.keys() | after.keys()):
        (one, why), (other, why_now) = before.get(item, (NOTHING, None)), after.get(item, (NOTHING, None))
        place, name = (*path, item), words.item(item)
        if one != other:
            told = f"{path[-1]}, to {words.sentence(to)}: {name}: {fate_words(one)} → {fate_words(other)}"
            yield Change(place, way_of(one, other), _fate(one, why), _fate(other, why_now), told, item, to)
        elif why != why_now:
            told = f"{path[-1]}: why {name} is withheld: {why} → {why_now}"
            yield Change(place, Way.OTHER, _fate(one, why), _fate(other, why_now), told, item, to)


def _hold(path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:  # noqa: ANN401 - plain JSON or None
    if old is None or new is None:
        yield _came_or_went(path, old, new, Way.MORE if new is None else Way.LESS)
        return
    yield from _rest(path, old, new, {"when"})
    yield from _conditions(path, old["when"], new["when"], widening=Way.LESS)


def _prohibition(path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:  # noqa: ANN401 - plain JSON or None
    if old is None or new is None:
        yield _came_or_went(path, old, new, Way.MORE if new is None else Way.LESS)
        return
    yield from _rest(path, old, new, {"items", "recipients"})
    for key in ("items", "recipients"):
        yield from _members((*path, key), old[key], new[key], added=Way.LESS)


def _recipient(path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:  # noqa: ANN401 - plain JSON or None
    if old is None or new is None:
        yield _came_or_went(path, old, new, Way.OTHER)
        return
    yield from _rest(path, old, new, {"areas"})
    yield from _conditions(path, {"areas": old["areas"]}, {"areas": new["areas"]}, widening=Way.MORE)


def _part(path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:  # noqa: ANN401 - plain JSON or None
    if old is None or new is None:
        yield _came_or_went(path, old, new, Way.OTHER)
        return
    yield from _said(path, old, new)


_NAMED = {
    "clauses": _clause,
    "holds": _hold,
    "prohibitions": _prohibition,
    "recipients": _recipient,
    "flows": _part,
    "parties": _part,
    "contacts": _part,
}


def _fate(fate: str, why: str | None) -> Any:  # noqa: ANN401 - plain JSON
    return None if fate == NOTHING else {"effect": fate} if why is None else {"effect": fate, "reason": why}


def _conditions(
    path: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any], *, widening: Way
) -> Iterator[Change]:
    narrowing = Way.LESS if widening is Way.MORE else Way.MORE
    for key in [*new, *(key for key in old if key not in new)]:
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        wider, narrower = _within(before, after), _within(after, before)
        if wider and narrower:
            yield _order((*path, "when", key), before, after)
            continue
        way, how = (widening, "wider") if wider else (narrowing, "narrower") if narrower else (Way.OTHER, "otherwise")
        told = f"{' '.join(path)}: {words.label(key).lower()}: {_shown(before)} → {_shown(after)} ({how})"
        yield Change((*path, "when", key), way, before, after, told)


def _within(narrow: Any, wide: Any) -> bool:  # noqa: ANN401 - the value of a condition
    """Whether all that one value of a condition lets through, the other lets through."""
    if wide == ANY or narrow is None or wide is None:
        return bool(wide == ANY)
    if isinstance(narrow, list) and isinstance(wide, list):
        return set(narrow) <= set(wide)
    return type(narrow) is int and type(wide) is int and narrow <= wide


# Everything else, word by word.


def _rest(path: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any], apart: set[str]) -> Iterator[Change]:
    for key in [*new, *(key for key in old if key not in new)]:
        if key not in apart and old.get(key) != new.get(key):
            yield from _said((*path, key), old.get(key), new.get(key))


def _said(path: tuple[str, ...], old: Any, new: Any) -> Iterator[Change]:  # noqa: ANN401 - plain JSON or None
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _rest(path, old, new, set())
    elif isinstance(old, list) and isinstance(new, list):
        yield from _said_if_silent(path, old, new, list(_members(path, old, new, added=Way.OTHER)))
    else:
        told = f"{_place(path)}: {_shown(old)} → {_shown(new)}"
        yield Change(path, Way.OTHER, old, new, told)


def _members(path: tuple[str, ...], old: Sequence[Any], new: Sequence[Any], *, added: Way) -> Iterator[Change]:
    """Lists as sets; of parts with a name of their own, each is compared with its namesake."""
    removed = {Way.MORE: Way.LESS, Way.LESS: Way.MORE}.get(added, Way.OTHER)
    before, after = _by_name(old), _by_name(new)
    for name in [*after, *(name for name in before if name not in after)]:
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _said((*path, name), was, now)
        else:
            told = f"{_place(path)}: {_shown(was)} → {_shown(now)}"
            yield Change((*path, name), removed if now is None else added, was, now, told)


def _by_name(members: Sequence[Any]) -> dict[str, Any]:
    """The members of a list by what names them: an id, what they are about, or themselves."""
    named: dict[str, Any] = {}
    for one in members:
        name = next((one[key] for key in _NAMES if key in one), None) if isinstance(one, dict) else one
        named[str(name) if name is not None else json.dumps(one, sort_keys=True)] = one
    return named


_NAMES = ("id", "data", "party")


def _came_or_went(path: tuple[str, ...], old: Any, new: Any, way: Way) -> Change:  # noqa: ANN401 - plain JSON or None
    title = str((new or old).get("title", (new or old).get("reason", "")))
    told = f"{_place(path)}: {'new' if old is None else 'no longer there'}" + (f": {title}" if title else "")
    return Change(path, way, old, new, told)


def _said_if_silent(path: tuple[str, ...], old: Any, new: Any, found: list[Change]) -> list[Change]:  # noqa: ANN401
    """What was found, or, where parts differ and nothing was, that they are only arranged otherwise."""
    return found or [_order(path, old, new)]


def _order(path: tuple[str, ...], old: Any, new: Any) -> Change:  # noqa: ANN401 - plain JSON
    return Change(path, Way.OTHER, old, new, f"{_place(path)}: the same, in another order or grouping")


def _place(path: Sequence[str]) -> str:
    first, *others = path
    return ", ".join([words.label(first), *(words.label(one) if one in words.LABELS else one for one in others)])


def _shown(value: Any) -> str:  # noqa: ANN401 - plain JSON or None
    if value is None:
        return "nothing"
    if isinstance(value, list) and all(not isinstance(one, (dict, list)) for one in value):
        return ", ".join(words.code(one) for one in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else words.code(value)
