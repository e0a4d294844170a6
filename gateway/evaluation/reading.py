"""What may be counted: each referral and each word on it decided for the recipient `evaluation`, and read in codes.

No record is opened. A referral is decided on the facts that its row keeps, a word on it as the words to police are,
with what was said of consent beside it, and the time it happened. Only what a clause releases, whole or less exact, is
read; of the rest the item's name is left. Links say which referrals are of one victim; who she is nobody reads.

Source: domain.md sections 3.1 (F6), 4.3, 4.4 (evaluation column).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, func, select

from audit import search as log_search
from audit.entry import Outcome as Permitted
from audit.entry import timestamp
from audit.search import Query
from gateway.agreement import Agreement
from gateway.casework.acts import BESIDE, IN_ERROR
from gateway.coresponse.contact import Contact
from gateway.decide import Decision, Outcome, decide_on
from gateway.evaluation.coded import Case, Said, Victim
from gateway.evaluation.definitions import AREA, CHILDREN, LISTED, STATUS, TIMES, WISHES
from gateway.evaluation.period import Period
from gateway.evaluation.words import Word, word_of
from gateway.evidence import Event
from gateway.facts import Facts, hours_since
from gateway.repeats import Someone, grouped
from gateway.route import route
from gateway.store import tables
from gateway.terms import Standing
from mappings.record import ConsentState, RecordKind
from mappings.referral import ReferralStatus

EVALUATION = "evaluation"
"""The purpose of the flow that lets referrals be counted."""

ADVISER = "idva"
"""The role, in an agreement, of the teams whose referrals are counted."""


@dataclass(frozen=True)
class Coded:
    """Who may be counted. `refused` are referrals of the period of which nothing may be, by the reason's code.

    `items` is what was released and counted, by `clauses`; `releasable` what the agreement could release at all.
    """

    victims: tuple[Victim, ...]
    refused: Mapping[str, int]
    items: frozenset[str]
    clauses: frozenset[str]
    releasable: frozenset[str]


def recipient_of(agreement: Agreement) -> str | None:
    """The recipient that an agreement's flow for evaluation goes to."""
    return next((to for flow in agreement.content.flows if flow.purpose == EVALUATION for to in flow.to), None)


def releasable(agreement: Agreement, recipient: str) -> frozenset[str]:
    """What the agreement's clauses could release to the evaluation, of anybody, under whatever conditions."""
    found: set[str] = set()
    parties = {one.id: one.organisation for one in agreement.content.parties}
    flows = [one for one in agreement.content.flows if one.purpose == EVALUATION and recipient in one.to]
    for sender in {parties[id_] for flow in flows for id_ in flow.from_}:
        way = route(agreement, recipient, EVALUATION, sender)
        for clause in way.clauses:
            found |= (clause.releases | clause.generalises.keys()) - clause.withholds.keys() - way.prohibited.keys()
    return frozenset(found)


def read_coded(connection: Connection, log_id: str, standing: Standing, period: Period, now: datetime) -> Coded:
    """Everybody referred to advisers in a period who may be counted at an instant; nobody where no agreement stands."""
    agreement = standing.agreement
    recipient = recipient_of(agreement) if agreement else None
    if agreement is None or recipient is None:
        return Coded((), {}, frozenset(), frozenset(), frozenset())
    teams = sorted(one.id for one in agreement.content.recipients if one.role == ADVISER)
    between = {"log": log_id, "from": timestamp(period.first_instant), "until": timestamp(period.last_instant)}
    rows = connection.execute(_REFERRALS, between | {"teams": teams})
    worked = _worked(connection, between)
    desk = _Desk(standing, recipient, now)
    refused: Counter[str] = Counter()
    cases: dict[Someone, list[Case]] = defaultdict(list)
    first_given = _first_given(connection, log_id, teams, period.first_instant)
    for row in rows:
        case = desk.case(row, worked.get(row.id, ()), first_given.get(row.id))
        if isinstance(case, str):
            refused[case] += 1
        else:
            cases[row.event_id, row.victim].append(case)
    victims = tuple(_victims(cases, _links(connection, log_id)))
    return Coded(
        victims, dict(refused), frozenset(desk.items), frozenset(desk.clauses), releasable(agreement, recipient)
    )


class _Desk:
    """Decides each referral and each word, and notes what was released by which clause."""

    def __init__(self, standing: Standing, recipient: str, now: datetime) -> None:
        self._standing = standing
        self._recipient = recipient
        self._now = now
        self.items: set[str] = set()
        self.clauses: set[str] = set()

    def case(self, row: Any, worked: Iterable[_Worked], given: datetime | None) -> Case | str:  # noqa: ANN401 - a row
        """A referral in codes; the reason's code where nothing of it may be counted."""
        at = _moment(row.event_at)
        facts = Facts.from_json(orjson.loads(row.facts)).asked_by(None, None, hours_since(at, self._now))
        decision = self._decide(facts)
        if decision.outcome is not Outcome.PERMITTED:
            return decision.reason.value
        released = decision.ruling.methods.keys()
        if at is None or not {LISTED, TIMES} <= released:
            return _NOT_RELEASED
        withheld: set[str] = set()
        child, children = facts.children, row.children if facts.children else 0
        if facts.children and CHILDREN not in released:
            withheld.add(CHILDREN)
        words: list[Said] = []
        seen = [given] if given else []
        for one in worked:
            for word in one.words:
                if self._may(word, one, row, facts):
                    words.append(Said(word.code, one.at, word.value))
                    seen.append(one.at)
                else:
                    withheld.add(word.item)
        return Case(
            id=row.id,
            at=at,
            area=row.area if AREA in released else None,
            reported=_moment(row.reported_at),
            had=min(seen, default=None),
            child=None if CHILDREN in withheld else child,
            children=None if CHILDREN in withheld else children,
            words=tuple(words),
            withheld=frozenset(withheld),
        )

    def _may(self, word: Word, one: _Worked, row: Any, facts: Facts) -> bool:  # noqa: ANN401 - a row, as above
        """Whether a word may be counted: decided as a status of the team's, at the time it was said."""
        refused = facts.consent if facts.consent in _NO_CONSENT else None
        asked = replace(
            facts,
            kind=RecordKind.STATUS.value,
            source=row.organisation,
            consent=word.consent or refused,
            items=(word.item,),
            hours_since_event=hours_since(one.at, self._now),
        )
        return word.item in self._decide(asked).ruling.methods

    def _decide(self, facts: Facts) -> Decision:
        decision = decide_on(facts, self._recipient, EVALUATION, self._standing.terms, self._now)
        if decision.outcome is Outcome.PERMITTED:
            self.items |= _COUNTED & decision.ruling.methods.keys()
            self.clauses.update(decision.clauses)
        return decision


_NOT_RELEASED = "not-released"
_COUNTED = frozenset({LISTED, TIMES, AREA, CHILDREN, STATUS, WISHES})
_NO_CONSENT = frozenset({ConsentState.REFUSED.value, ConsentState.WITHDRAWN.value})


@dataclass(frozen=True, slots=True)
class _Worked:
    """Something that was done in a case: when, and the words it is counted by."""

    at: datetime
    words: tuple[Word, ...]


def _worked(connection: Connection, between: Mapping[str, str]) -> Mapping[str, list[_Worked]]:
    """What was done, by referral: acts but for those that were entered in error, and contacts at the scene."""
    found: dict[str, list[_Worked]] = defaultdict(list)
    rows = [(row, orjson.loads(row.codes)) for row in connection.execute(_EVENTS, between)]
    in_error = {codes["event"] for row, codes in rows if row.kind == IN_ERROR}
    for row, codes in rows:
        if row.kind not in _NO_ACTS and row.id not in in_error:
            found[row.referral_id].append(_Worked(datetime.fromisoformat(row.happened_at), word_of(row.kind, codes)))
    for at_scene in connection.execute(_CONTACTS, {"log": between["log"]}):
        contact = _SPOKEN if at_scene.contact in _REACHED else _TAKEN
        found[at_scene.referral_id].append(_Worked(datetime.fromisoformat(at_scene.at), contact))
    return found


_NO_ACTS = BESIDE | {IN_ERROR}
_REACHED = frozenset({Contact.SPOKEN_TO.value, Contact.REFUSED.value})
_SPOKEN = (Word("spoken-to", STATUS),)
_TAKEN = (Word("attended", STATUS),)


def _first_given(connection: Connection, log_id: str, teams: Iterable[str], since: datetime) -> Mapping[str, datetime]:
    """When each referral was first given to one of these teams, opened or delivered, as the log says."""
    events = (Event.REFERRAL_READ, Event.REFERRAL_DELIVERED)
    of = (tuple(("event", one.value) for one in events),)
    query = Query(time_from=timestamp(since), outcome=Permitted.PERMITTED, any_of=of)
    wanted, found = frozenset(teams), dict[str, datetime]()
    for stored in log_search.matching(connection, log_id, query):
        said = orjson.loads(stored.body)
        if said["case"] not in found and any(to["recipient"] in wanted for to in said["recipients"]):
            found[said["case"]] = datetime.fromisoformat(said["time"])
    return found


def _links(connection: Connection, log_id: str) -> Mapping[Someone, frozenset[Someone]]:
    """Everybody who is one person, by each of them."""
    edges: dict[Someone, set[Someone]] = defaultdict(set)
    for row in connection.execute(_LINKS, {"log": log_id}):
        edges[row.event_id, row.person].add((row.other_event_id, row.other_person))
    return grouped(edges)


def _victims(cases: Mapping[Someone, list[Case]], links: Mapping[Someone, frozenset[Someone]]) -> Iterator[Victim]:
    """The victims: of each, all her referrals, the earliest first."""
    taken: set[Someone] = set()
    for someone in cases:
        if someone in taken:
            continue
        group = links.get(someone, frozenset({someone})) & cases.keys()
        taken |= group
        hers = [case for one in group for case in cases[one]]
        yield Victim(tuple(sorted(hers, key=lambda case: (case.placed, case.id))))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_f, _e, _c, _l = tables.referral, tables.case_event, tables.co_response, tables.person_link
_log: Any = bindparam("log")
_placed = func.coalesce(_f.c.reported_at, _f.c.event_at)
_in_period = (_f.c.log_id == _log, _placed >= bindparam("from"), _placed < bindparam("until"))
_REFERRALS = (
    select(
        _f.c.id,
        _f.c.event_id,
        _f.c.victim,
        _f.c.organisation,
        _f.c.area,
        _f.c.facts,
        _f.c.event_at,
        _f.c.reported_at,
        _f.c.children,
    )
    .where(
        *_in_period,
        _f.c.team.in_(bindparam("teams", expanding=True)),
        _f.c.status != ReferralStatus.ENTERED_IN_ERROR.value,
    )
    .order_by(_f.c.id)
)
_EVENTS = (
    select(_e.c.id, _e.c.referral_id, _e.c.kind, _e.c.happened_at, _e.c.codes)
    .join(_f, _f.c.id == _e.c.referral_id)
    .where(*_in_period)
    .order_by(_e.c.referral_id, _e.c.seq)
)
_CONTACTS = select(_c.c.referral_id, _c.c.at, _c.c.contact).where(_c.c.log_id == _log, _c.c.referral_id.is_not(None))
_LINKS = select(_l.c.event_id, _l.c.person, _l.c.other_event_id, _l.c.other_person).where(_l.c.log_id == _log)
