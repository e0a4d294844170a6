"""What a FHIR search asks for, read from its parameters (FHIR R4 search).

Only what `adapters.nhs.fhir.SEARCH` declares can be asked. A parameter that is not declared is refused, for a filter
that is dropped shows more than was asked for (P3); a caller who would rather have it passed over says so (`Prefer:
handling=lenient`), and is told that it was. A modifier, a chain (`_has`), a value that is not served, and whatever else
R4 selects by, is refused either way.
What would identify somebody is taken from a form alone, so that no address names anybody (P7).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.requests import Request

from adapters.nhs import fhir
from gateway.cursors import Cursor, Cursors
from gateway.disclosure import LOOKED_AT_MAX
from gateway.errors import BadParameter, NotFound
from gateway.everything import Wanted
from gateway.evidence import Caller, Event
from gateway.narrowing import Narrowed
from gateway.searching import Search
from gateway.settings import Settings
from gateway.store.records import Records
from gateway.web.fhirshape import SHAPING, Shape, page_size
from gateway.web.http import media_type, read_body

CURSOR = "_cursor"
FORM = "application/x-www-form-urlencoded"
FORM_MAX_BYTES = 8_192  # far more than every parameter at its longest that anybody means
PARAMETERS_MAX = 50
"""Parameters of one search: each is compared with every resource looked at."""
_NEUTRAL = frozenset({"_format", "_pretty"})
"""How an answer is written: no part of what is asked."""
_SELECTING = frozenset({"_has", "_filter", "_query", "_list", "_text", "_content"})
"""R4's own ways to select that are not served: nobody who sends one can mean everything."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was asked: what to find, how much of each resource to write, and what its links say.

    `pairs` are the parameters that count. `hidden` says that one of them would identify somebody, so that links hold
    them sealed; `passed_over` how many were not known and were left out, as the caller wished.
    """

    search: Search
    subset: fhir.Subset
    pairs: Pairs
    hidden: bool
    passed_over: int


@dataclass(frozen=True, slots=True)
class AskedForAll:
    """Everything of a referral as it was asked for: what to find, and what the link to the next page says."""

    wanted: Wanted
    pairs: Pairs
    address: str


@dataclass(frozen=True, slots=True)
class SearchReader:
    """Reads searches for one deployment."""

    settings: Settings
    records: Records
    cursors: Cursors
    base_url: str

    def asked(self, caller: Caller, type_: str, given: Pairs, form: Pairs = (), *, lenient: bool = False) -> Asked:
        """What is asked of a type, by the parameters of an address and by those of a form.

        Raises NotFound for a type that is not served, BadParameter and `FhirRefused` 400 for what cannot be asked.
        """
        known(type_)
        opened = cursor_of(self.cursors, caller, type_, (*given, *form))
        if opened is not None:
            return self._read(type_, (), opened.asked, opened.place, lenient=lenient)
        return self._read(type_, plain(given), plain(form), None, lenient=lenient)

    def everything(self, caller: Caller, id_: str, given: Pairs) -> AskedForAll:
        """What is asked of everything of a referral: `_type` and `_count`. Raises BadParameter."""
        address = f"ServiceRequest/{id_}/$everything"
        opened = cursor_of(self.cursors, caller, address, given)
        pairs = plain(given) if opened is None else opened.asked
        asked = dict(pairs)
        if len(asked) < len(pairs) or not asked.keys() <= {"_type", "_count"}:
            raise BadParameter("$everything takes _type and _count, each once")
        types = tuple(asked["_type"].split(",")) if "_type" in asked else fhir.EVERYTHING
        if not set(types) <= set(fhir.EVERYTHING):
            raise BadParameter("_type names types that are served here: see metadata")
        count = page_size([asked["_count"]] if "_count" in asked else None, self.settings)
        return AskedForAll(Wanted(id_, types, None if opened is None else opened.place, count), pairs, address)

    def _read(self, type_: str, given: Pairs, form: Pairs, after: tuple[str, ...] | None, *, lenient: bool) -> Asked:
        pairs = (*given, *form)
        if len(pairs) > PARAMETERS_MAX:
            raise BadParameter(f"a search has at most {PARAMETERS_MAX} parameters")
        shaping: dict[str, list[str]] = {}
        conditions: list[fhir.Condition] = []
        counted: list[tuple[str, str]] = []
        hidden = False
        for at, (name, value) in enumerate(pairs):
            if name in SHAPING:
                shaping.setdefault(name, []).append(value)
            elif (condition := fhir.read_condition(type_, name, value, self.base_url)) is not None:
                conditions.append(condition)
                hidden = hidden or condition.personal
                if condition.personal and at < len(given):
                    raise BadParameter("what identifies somebody is no part of an address: send a form to _search")
            elif lenient and name.partition(":")[0] not in _SELECTING:
                continue
            else:
                raise BadParameter("a search parameter that this server does not declare: see metadata")
            counted.append((name, value))
        shape = Shape(type_, shaping)
        narrowed = Narrowed(type_, self.records)
        for condition in conditions:
            narrowed.by(condition)
        through = (one.through for one in conditions if one.through is not None)
        search = Search(
            types=tuple(dict.fromkeys((type_, *shape.included, *through))),
            ids=narrowed.ids,
            named=tuple(narrowed.named),
            statuses=narrowed.columns.get("status"),
            states=narrowed.columns.get("state"),
            priorities=narrowed.columns.get("priority"),
            times=tuple(narrowed.times),
            indexed=tuple(narrowed.indexed),
            conditions=tuple(narrowed.conditions),
            links=shape.links,
            sort=shape.sort,
            after=after,
            count=LOOKED_AT_MAX if shape.counted else shape.count(self.settings),
            total=shape.total,
            counted=shape.counted,
            note=shape.note(narrowed.conditions),
            event=Event.WORKLIST_READ if type_ == "Task" else Event.REFERRAL_READ,
        )
        return Asked(search, shape.subset, tuple(counted), hidden, len(pairs) - len(counted))


def plain(pairs: Pairs) -> Pairs:
    """The parameters without those that say how an answer is written."""
    return tuple(pair for pair in pairs if pair[0] not in _NEUTRAL)


def cursor_of(cursors: Cursors, caller: Caller, address: str, pairs: Pairs) -> Cursor | None:
    """The cursor among parameters, which stands there alone; None where there is none. Raises BadParameter."""
    found = [value for name, value in pairs if name == CURSOR]
    if not found:
        return None
    if len(plain(pairs)) > 1:
        raise BadParameter("the cursor is not one of this server's links")
    return cursors.open(found[0], caller, address)


def subset_of(type_: str, pairs: Pairs) -> fhir.Subset:
    """How much of one resource is wanted that is read by its id. Raises BadParameter."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in {"_summary", "_elements"}:
            given.setdefault(name, []).append(value)
    shape = Shape(type_, given)
    if shape.counted:
        raise BadParameter("one resource is not counted")
    return shape.subset


def known(type_: str) -> None:
    """Raise NotFound for a type that is not served."""
    if type_ not in fhir.SEARCH:
        raise NotFound("this resource type is not served here: see metadata")


async def posted(request: Request) -> Pairs:
    """The parameters of a form; none where there is no body. Raises BadMediaType, BodyTooLarge, BadParameter."""
    if request.headers.get("content-length") == "0" and "content-type" not in request.headers:
        return ()
    media_type(request, (FORM,))
    body = await read_body(request, FORM_MAX_BYTES)
    try:
        form = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict")
    except ValueError:
        raise BadParameter("the form cannot be read") from None
    if any("\0" in part for pair in form for part in pair):
        raise BadParameter("the form holds a zero character")
    return tuple(form)


def is_lenient(request: Request) -> bool:
    """Whether the caller would rather have an unknown parameter passed over (FHIR R4 search, section 3.1.1.2)."""
    wishes = ",".join(request.headers.getlist("prefer")).replace(";", ",").split(",")
    found = [one.strip().lower() for one in wishes if one.strip().lower().startswith("handling")]
    return [one.replace(" ", "").replace('"', "") for one in found] == ["handling=lenient"]


def interval(value: str) -> tuple[str, datetime, datetime]:
    """A date parameter as its prefix and its interval. Raises BadParameter."""
    try:
        return fhir.interval(value)
    except fhir.FhirRefused as refused:
        raise BadParameter(refused.diagnostics) from None
