"""One row of a profile file, checked and compiled: where it reads, what it does, where it writes, what must be there.

Refused, with the row and the key named: a transform that does not exist or is given more or fewer places than it takes,
a target that the schema does not have or that holds another kind of value, a code map where none is wanted, or one
whose codes the target cannot hold. What is refused here would otherwise fail, or read nothing, in every document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mappings.codemap import CodeMap
from mappings.places import steps
from mappings.record import Part
from mappings.rows import Built, Need, Row
from mappings.strict import Foreign, keys, one_or_more, string
from mappings.targets import Target, TargetInvalid, checked, part_class, target
from mappings.transforms import TRANSFORMS, Transform

_KEYS = {"from", "to", "transform", "required", "map"}
_NEEDS: Final[tuple[tuple[object, Need], ...]] = ((False, "no"), (True, "yes"), ("when-present", "when-present"))


def compiled_row(
    where: str, part: type[Part], row: Foreign, keyed: Mapping[str, Mapping[str, Foreign]], maps: Mapping[str, CodeMap]
) -> Row:
    """A row of a shape that builds `part`. Raises ValueError naming the key.

    `keyed` are the constants of parts that a word tells apart, by target and word; `maps` the profile's code maps.
    """
    keys(where, row, _KEYS, {"from", "to", "transform"})
    verb = string(f"{where}.transform", row["transform"])
    if verb not in TRANSFORMS:
        raise ValueError(f"{where}.transform: there is no {verb!r}")
    transform = TRANSFORMS[verb]
    aim = _target(where, part, row["to"])
    if transform.gives not in aim.accepts:
        raise ValueError(f"{where}.to: {aim.text!r} does not hold a {transform.gives.value}")
    places = tuple(steps(f"{where}.from", place) for place in one_or_more(f"{where}.from", row["from"]))
    _enough(f"{where}.from", verb, transform, len(places))
    return Row(
        places=places,
        run=_run(where, transform, aim, row.get("map"), maps),
        takes=transform.takes,
        target=aim,
        need=_need(f"{where}.required", row.get("required", False)),
        constants=_constants(where, part, aim, keyed.get(f"{aim.part}[{aim.word}]", {})),
        trusted=transform.maps and not transform.keeps,
    )


def constant(where: str, part: type[Part], leaf: str, value: Foreign) -> object:
    """A constant as a leaf of a part takes it. Raises ValueError."""
    try:
        return checked(part, leaf, value)
    except TargetInvalid as exc:
        raise ValueError(f"{where}: {exc}") from None


def _target(where: str, part: type[Part], text: Foreign) -> Target:
    try:
        return target(part, string(f"{where}.to", text))
    except TargetInvalid as exc:
        raise ValueError(f"{where}.to: {exc}") from None


def _enough(where: str, name: str, transform: Transform, places: int) -> None:
    if places < transform.least:
        raise ValueError(f"{where}: {name!r} takes {transform.least} places or more, and is given {places}")
    if transform.most and places > transform.most:
        raise ValueError(f"{where}: {name!r} takes {transform.most} at most, and is given {places}")


def _run(
    where: str, transform: Transform, aim: Target, name: Foreign, maps: Mapping[str, CodeMap]
) -> Callable[..., object]:
    if not transform.maps:
        if name is not None:
            raise ValueError(f"{where}.map: the transform wants none")
        return transform.run
    if not isinstance(name, str) or name not in maps:
        raise ValueError(f"{where}.map: not one of the maps")
    codes = maps[name].codes
    if aim.check is not None:
        for code in codes.values():
            try:
                aim.check(code)
            except ValueError:
                raise ValueError(f"{where}.map: {aim.text!r} does not hold {code!r}") from None
    made: Callable[..., object] = transform.run(codes)
    return made


def _need(where: str, value: Foreign) -> Need:
    for said, need in _NEEDS:
        if type(value) is type(said) and value == said:  # 1 is not true
            return need
    raise ValueError(f"{where}: true, false or when-present")


def _constants(where: str, part: type[Part], aim: Target, given: Mapping[str, Foreign]) -> Built:
    inner = part_class(part.model_fields[aim.part])[0] if aim.part else None
    if given and inner is None:
        raise ValueError(f"{where}: {aim.text!r} is in no part of its own")
    return {} if inner is None else {leaf: constant(where, inner, leaf, value) for leaf, value in given.items()}
