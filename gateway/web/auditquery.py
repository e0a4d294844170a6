"""The search parameters of AuditEvent, turned into what is looked for in the log (`audit.search.Query`).

Pure. A value that nothing in the log can have finds nothing; a parameter that is not declared is refused, for a filter
that is dropped shows more than was asked for (P3). A reference is taken by its type and its last part, and agents by
identifier also, for the log names them so.

Source: FHIR R4 AuditEvent search parameters; search 3.1.1 (prefixes, alternatives by commas).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.nhs import fhir
from audit.entry import timestamp
from audit.facets import Facet
from audit.fhir import OUTCOMES
from audit.search import Query
from audit.shapes import Coding
from gateway.balp import Terms, having
from gateway.errors import BadParameter
from gateway.web.fhirsearch import interval

CURSOR = "_cursor"
ALTERNATIVES_MAX = 100
"""Values of one parameter: each is looked for in every entry of a block, and thousands would hold a reader for long."""


def parameters(items: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The parameters, each once; `date` may come more than once, joined by spaces. Raises BadParameter."""
    declared = {*fhir.AUDIT_EVENT, *fhir.RESULT, CURSOR, "_format", "_pretty", "agent:identifier"}
    asked: dict[str, str] = {}
    for name, value in items:
        if name not in declared:
            raise BadParameter("a search parameter that this server does not declare: see metadata")
        if name in asked and name != "date":
            raise BadParameter(f"{name} is given once, with commas between alternatives")
        if "\0" in value:  # from a form; in an address it has been refused before
            raise BadParameter(f"{name} holds a zero character")
        if value.count(",") >= ALTERNATIVES_MAX:
            raise BadParameter(f"{name} has more than {ALTERNATIVES_MAX} alternatives")
        asked[name] = f"{asked[name]} {value}" if name in asked else value
    if asked.get("_total", "none") not in {"none", "accurate"}:
        raise BadParameter("_total is none or accurate")
    return asked


def query(asked: Mapping[str, str]) -> Query:
    """What is looked for. Raises BadParameter."""
    time_from, time_to = _times(asked["date"].split(" ") if "date" in asked else ())
    terms = [
        tuple(facet for one in asked[name].split(",") for facet in finds(one))
        for name, finds in _FACETS.items()
        if name in asked
    ]
    for name in ("action", "type", "subtype"):
        if name in asked:
            terms += _shaped(name, asked[name].split(","))
    return Query(time_from=time_from, time_to=time_to, any_of=tuple(terms))


def _times(values: Sequence[str]) -> tuple[str | None, str | None]:
    """The first instant, and the one that is after the last."""
    begins: list[str] = []
    ends: list[str] = []
    for value in values:
        prefix, start, end = interval(value)
        if prefix in {"eq", "ge"}:
            begins.append(timestamp(start))
        if prefix in {"gt", "sa"}:
            begins.append(timestamp(end))
        if prefix in {"eq", "le"}:
            ends.append(timestamp(end))
        if prefix in {"lt", "eb"}:
            ends.append(timestamp(start))
        if prefix == "ne":
            raise BadParameter("a date is searched by eq, ge, gt, le or lt")
    return max(begins, default=None), min(ends, default=None)


def _patient(value: str) -> tuple[Facet, ...]:
    type_, _, id_ = value.rpartition("/")
    return (("subject", id_),) if type_.rpartition("/")[2] in {"", "Patient"} else ()


def _entity(value: str) -> tuple[Facet, ...]:
    type_, _, id_ = value.rpartition("/")
    by_type: dict[str, tuple[Facet, ...]] = {
        "Patient": (("subject", id_),),
        "ServiceRequest": (("case", id_),),
        "": (("subject", id_), ("case", id_), ("record", id_)),
    }
    return by_type.get(type_.rpartition("/")[2], ())


def _agent(value: str) -> tuple[Facet, ...]:
    """Agents are named by identifier; a reference is taken by its type and what stands behind the stroke."""
    type_, _, id_ = value.rpartition("|")[2].rpartition("/")
    by_type: dict[str, tuple[Facet, ...]] = {
        "Device": (("client", id_),),
        "Practitioner": (("user", id_),),
        "Organization": (("organisation", id_), ("recipient", id_)),
    }
    every = tuple(facet for some in by_type.values() for facet in some)
    return by_type.get(type_.rpartition("/")[2], ()) if type_ else every


def _policy(value: str) -> tuple[Facet, ...]:
    for prefix, facet in (("urn:agreement:", "agreement"), ("urn:sha256:", "agreement"), ("urn:clause:", "clause")):
        if value.startswith(prefix):
            return ((facet, value.removeprefix(prefix)),)
    return ()


def _outcome(value: str) -> tuple[Facet, ...]:
    code = value.rpartition("|")[2]
    return tuple(("outcome", outcome.value) for outcome, known in OUTCOMES.items() if known == code)


_FACETS = {
    "patient": _patient,
    "entity": _entity,
    "agent": _agent,
    "agent:identifier": _agent,
    "policy": _policy,
    "outcome": _outcome,
}
"""What a value of each parameter finds in the log: any of these facets, nothing where there are none."""


def _shaped(name: str, values: Sequence[str]) -> Terms:
    """What finds the entries whose shape has one of these codes."""

    def fits(of: Coding, value: str) -> bool:
        system, stroke, code = value.rpartition("|")
        return code == of[1] and (not stroke or system == of[0])

    if name == "action":
        return having(lambda shape: shape.action in {value.rpartition("|")[2] for value in values})
    if name == "type":
        return having(lambda shape: any(fits(shape.type, value) for value in values))
    return having(lambda shape: any(fits(shape.subtype, value) for value in values))
