"""What stands at the places of a row, in one part of a document: looked up, in order, before a transform sees it.

A place may lead through several parts; then what they say comes as one list. An element's own text stands for it.
Nothing is transformed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mappings.tree import TEXT, Linked, Value, says_something


def scalars(value: Value) -> tuple[Value, ...] | Value:
    """The scalars of a list; one scalar stands for a list of one. What has none in it is left as it is."""
    several = value if type(value) is list else (value,)
    texts = [alone(v) if type(v) is not str else v if v and not v.isspace() else None for v in several]
    found = tuple([v for v in texts if v is not None])
    return found or value


def gatherer(places: tuple[tuple[str, ...], ...]) -> Callable[[dict[str, Value]], Sequence[Value]]:
    """The values at several places, in their order; none at all where none is there.

    Where all lie in one dict it is looked up once, and most often it has none of them.
    """
    parents = {place[:-1] for place in places}
    if len(parents) > 1:
        return lambda node: [_at(node, place) for place in places]
    (parent,) = parents
    keys = tuple(place[-1] for place in places)

    def gather(node: dict[str, Value]) -> Sequence[Value]:
        inner: Value = node
        for step in parent:
            if type(inner) is not dict:
                break
            inner = inner.get(step)
        if type(inner) is dict:
            return () if inner.keys().isdisjoint(keys) else [inner.get(key) for key in keys]
        return [_at(node, place) for place in places] if type(inner) is list else ()

    return gather


def _at(node: Value, steps: tuple[str, ...]) -> Value:
    for index, step in enumerate(steps):
        if type(node) is list:
            return several([_at(one, steps[index:]) for one in node]) or None
        if type(node) is not dict:
            return None
        node = node.get(step)
    return node


def several(found: Iterable[Value]) -> list[Value]:
    """What several parts say where one was expected, in one list, without what says nothing."""
    flat = (one for value in found for one in (value if type(value) is list else (value,)))
    return [value for value in flat if says_something(value)]


def unfit(values: Sequence[Value]) -> int | None:
    """Which of a row's places says something that cannot be read: several where one is read, or parts alone."""
    saying = [at for at, value in enumerate(values) if _says(value)]
    if any(scalar(own(values[at])) for at in saying):
        saying = [at for at in saying if type(values[at]) is list]
    return saying[0] if saying else None


def _says(value: Value) -> bool:
    if type(value) is dict:
        return any(map(_says, value.values()))
    return any(map(_says, value)) if type(value) is list else says_something(value)


def own(value: Value) -> Value:
    """A value, or of a part with a text of its own, that text."""
    return value.get(TEXT) if type(value) is dict else value


def alone(value: Value) -> Value:
    """A scalar that says something, a part's own text included; None for all else."""
    said = own(value)
    return said if scalar(said) else None


def scalar(value: Value) -> bool:
    """Whether a value is one that says something, and no part, list or link."""
    kind = type(value)
    if kind is str:
        return value != "" and not value.isspace()  # type: ignore[union-attr] # kind says that it is text
    return kind is not dict and kind is not list and kind is not Linked and value is not None
