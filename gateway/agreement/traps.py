"""The traps of the law: a basis that cannot carry its flow, though it looks as if it could.

Each is an error, since an agreement that rests on one gives no authority to share. The words are for a lawyer. What is
wrong with the clauses is for `agreement_check.py` to say; nothing here decides a release.

Source: domain.md sections 3.1 (two separate bases), 3.4 (powers and their traps), 3.5 (national data opt-out), 3.6
(victim information requests); DPA 2018 ss.10, 11, 29, 35, 36 and Schedules 1 and 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.agreement.content import Content
from gateway.agreement.flows import POWERS, Flow
from gateway.agreement.parties import Party
from gateway.agreement.text import Path
from gateway.agreement.words import expand

Remark = tuple[str, Path, str]
"""A code, where in the agreement, and words."""


def traps(content: Content) -> Iterator[Remark]:
    """Every basis that cannot carry its flow, in the order of the flows."""
    for at in range(len(content.flows)):
        side = _Side.of(content, at)
        yield from _article_6_and_9(side)
        yield from _regimes(side)
        yield from _conditions(side)
        yield from _powers(side)
        yield from _confidence(side)
        yield from _research(side)
        yield from _tracing(side)
        yield from _categories(side)


@dataclass(frozen=True)
class _Side:
    """A flow, who is on either side of it, and what leaves under its clauses: all items, and those that go whole."""

    path: Path
    flow: Flow
    givers: tuple[Party, ...]
    takers: tuple[Party, ...]
    leaving: frozenset[str]
    whole: frozenset[str]
    categories: Mapping[str, frozenset[str]]
    kinds: frozenset[str]

    @classmethod
    def of(cls, content: Content, at: int) -> _Side:
        flow = content.flows[at]
        clauses = [clause for clause in content.clauses if clause.flow == flow.id]
        whole = frozenset(item for clause in clauses for item in clause.release)
        leaving = whole | {item for clause in clauses for item in clause.generalise}
        known = {one.id: frozenset(one.each()) for one in content.data.categories}
        return cls(
            path=("flows", at),
            flow=flow,
            givers=tuple(content.party(id_) for id_ in flow.from_),
            takers=tuple(content.party(r.party) for r in content.recipients if r.id in flow.to),
            leaving=leaving,
            whole=whole,
            categories={item: frozenset(id_ for id_, items in known.items() if item in items) for item in leaving},
            kinds=frozenset(one.kind for one in content.data.categories if leaving & known[one.id]),
        )

    @property
    def basis(self) -> Path:
        return (*self.path, "lawful_basis")

    @property
    def from_police(self) -> bool:
        return all(party.is_police for party in self.givers)

    @property
    def to_police(self) -> bool:
        return all(party.is_police for party in self.takers)

    @property
    def to_nhs(self) -> bool:
        return all(party.is_nhs for party in self.takers)


def _article_6_and_9(side: _Side) -> Iterator[Remark]:
    for at, article in enumerate(side.flow.lawful_basis.article_6):
        if article in _ARTICLE_6:
            code, words = _ARTICLE_6[article]
            yield code, (*side.basis, "article_6", at), words
    for at, article in enumerate(side.flow.lawful_basis.article_9):
        if article == "9(2)(a)":
            words = "explicit consent cannot carry this: it may be refused, and what protects her may not hang on it"
            yield "consent-as-special-category-basis", (*side.basis, "article_9", at), words


_ARTICLE_6 = {
    "6(1)(a)": (
        "consent-as-lawful-basis",
        "consent answers confidentiality; it is not the Article 6 basis of this sharing",
    ),
    "6(1)(b)": ("no-contract", "there is no contract with the person it is about"),
    "6(1)(ea)": (
        "basis-closed-to-authorities",
        "recognised legitimate interests are not open to public authorities in their tasks",
    ),
    "6(1)(f)": (
        "basis-closed-to-authorities",
        "legitimate interests are not open to public authorities in their tasks",
    ),
}


def _regimes(side: _Side) -> Iterator[Remark]:
    """Part 3 is for competent authorities alone, and police share for safeguarding under it."""
    basis = side.flow.lawful_basis
    for name, regime, parties in (
        ("discloser_regime", basis.discloser_regime, side.givers),
        ("recipient_regime", basis.recipient_regime, side.takers),
    ):
        police = all(party.is_police for party in parties)
        if regime == "dpa-part-3" and not police:
            words = (
                "only a competent authority processes under Part 3 (DPA 2018 s.30); the others are under the UK GDPR"
            )
            yield "part-3-not-open", (*side.basis, name), words
        if regime == "uk-gdpr" and police and not basis.is_research:
            yield "police-without-part-3", (*side.basis, name), "police do this under Part 3 of the DPA 2018"
    part_3 = "dpa-part-3" in {basis.discloser_regime, basis.recipient_regime}
    if part_3 and "special-category" in side.kinds and not basis.schedule_8:
        words = "sensitive processing by police needs a condition of Schedule 8 (DPA 2018 s.35(5))"
        yield "sensitive-without-schedule-8", side.basis, words
    if basis.schedule_8 and not part_3:
        words = "Schedule 8 is for processing under Part 3, and neither side of this flow is"
        yield "schedule-8-without-part-3", (*side.basis, "schedule_8"), words


def _conditions(side: _Side) -> Iterator[Remark]:
    basis = side.flow.lawful_basis
    stated = set(basis.schedule_1)
    for at, article in enumerate(basis.article_9):
        if article in _CARRIED_BY and not _CARRIED_BY[article] & stated:
            words = f"{article} needs a condition of Schedule 1 (DPA 2018 s.10): {_PARAGRAPHS[article]}"
            yield "condition-missing", (*side.basis, "article_9", at), words
    carried: set[int] = set().union(*(_CARRIED_BY.get(article, set()) for article in basis.article_9))
    if basis.article_10:
        carried |= _OFFENCE_CONDITIONS
    for at, paragraph in enumerate(basis.schedule_1):
        if paragraph not in carried:
            article = next((one for one, carries in _CARRIED_BY.items() if paragraph in carries), "Article 10")
            words = f"Schedule 1 paragraph {paragraph} carries nothing without {article}"
            if paragraph == _POLICY_PARAGRAPH:
                words = "Schedule 1 paragraph 5 asks for a policy document; it is no condition"
            yield "condition-cannot-carry", (*side.basis, "schedule_1", at), words
    gdpr = "uk-gdpr" in {basis.discloser_regime, basis.recipient_regime}
    if gdpr and "criminal-offence" in side.kinds and "s.10(5)" not in (basis.article_10 or ""):
        words = "offence data need Article 10 with DPA 2018 s.10(5) and a condition of Schedule 1; nothing says so"
        yield "offence-data-without-article-10", (*side.basis, "article_10"), words


_CARRIED_BY = {
    "9(2)(b)": {1},
    "9(2)(g)": set(range(6, 29)),
    "9(2)(h)": {2},
    "9(2)(i)": {3},
    "9(2)(j)": {4},
}
"""The paragraphs of Schedule 1 that each point of Article 9(2) rests on (DPA 2018 s.10(2) and (3))."""
_PARAGRAPHS = {
    "9(2)(b)": "paragraph 1",
    "9(2)(g)": "one of paragraphs 6 to 28",
    "9(2)(h)": "paragraph 2",
    "9(2)(i)": "paragraph 3",
    "9(2)(j)": "paragraph 4",
}
_OFFENCE_CONDITIONS = set(range(29, 38))
_POLICY_PARAGRAPH = 5


def _powers(side: _Side) -> Iterator[Remark]:
    for at, power in enumerate(side.flow.lawful_basis.powers):
        if reason := _cannot(side, power):
            yield "power-cannot-carry", (*side.basis, "powers", at), f"{POWERS[power]}: {reason}"


def _cannot(side: _Side, power: str) -> str | None:
    """Why a power cannot carry a flow, or None where it can."""
    asked = side.flow.request.kind if side.flow.request else None
    nhs = any(party.is_nhs for party in (*side.givers, *side.takers))
    fails = {
        "care-act-2014-s42": True,
        "vpa-2024-s13": True,
        "care-act-2014-s45": asked != "safeguarding-adults-board",
        "pcsc-2022-s16": not side.from_police or bool(side.leaving & _PATIENT_INFORMATION),
        "pcsc-2022-s44a": asked != "victim-information-request" or not side.to_police,
        "common-law-police": not any(party.is_police for party in side.givers),
        "common-law-nhs": side.from_police,
        "nhs-act-2006": not nhs,
    }
    return _WHY_NOT[power] if fails.get(power) else None


_PATIENT_INFORMATION = frozenset(
    item
    for pattern in (
        "*.clinical",
        "*.nhs_number",
        "*.general_practice",
        "risk.answers.victim_health",
        "risk.answers.suspect_background",
        "engagement.status",
        "engagement.wishes",
        "adviser.case_notes",
        "adviser.safety_plan",
    )
    for item in expand(pattern)
)
"""What was learned in giving somebody care, or says that she has it (NHS Act 2006 s.251(10))."""
_WHY_NOT = {
    "care-act-2014-s42": "most victims of domestic abuse are not adults within this section",
    "vpa-2024-s13": "binds commissioners, not a trust or a force, and gives no power to disclose",
    "care-act-2014-s45": "answers a request of a Safeguarding Adults Board, and this flow answers none",
    "pcsc-2022-s16": (
        "s.16(4) authorises no disclosure of patient information, nor of personal information by a health or social "
        "care authority"
    ),
    "pcsc-2022-s44a": "answers a written request by police, and this flow answers none",
    "common-law-police": "no police force gives anything by this flow",
    "common-law-nhs": "police alone give by this flow",
    "nhs-act-2006": "no NHS organisation takes part in this flow",
}


def _confidence(side: _Side) -> Iterator[Remark]:
    stated = side.flow.confidentiality
    here = (*side.path, "confidentiality")
    by = "it is met by"
    for at, base in enumerate(stated.bases):
        where = (*here, "bases", at)
        if side.to_police and not side.from_police and base not in _OPENS_TO_POLICE:
            words = (
                f"what the NHS gives police needs consent, an overriding public interest, or the law; {base} is none"
            )
            yield "confidence-not-met", where, words
        elif base == "police-common-law" and not side.from_police:
            yield "confidence-not-met", where, f"{by} a power that only police have"
        elif base == "direct-care" and not all(party.is_nhs for party in (*side.givers, *side.takers)):
            yield "confidence-not-met", where, "direct care is given by the NHS, and others take part in this flow"
    identifying = sorted(side.whole & _IDENTIFYING)
    if "pseudonymised" in stated.bases and identifying:
        words = f"{by} pseudonyms, yet {identifying[0]} goes whole"
        yield "pseudonymised-yet-identifying", here, words
    if _LAWFUL_BASIS_WORDS.search(stated.words) or stated.words == side.flow.lawful_basis.article_10:
        words = "these words are of data protection law, which does not answer the duty of confidence"
        yield "confidentiality-by-lawful-basis", (*here, "words"), words


_OPENS_TO_POLICE = {"consent", "overriding-public-interest", "legal-duty", "court-order"}
_LAWFUL_BASIS_WORDS = re.compile(
    r"6\(1\)\(|9\(2\)\(|article\s*(6|9|10)\b|lawful basis|\bGDPR\b|schedule 1\b", re.IGNORECASE
)
_IDENTIFYING = frozenset(
    item
    for pattern in (
        "*.name",
        "*.birth",
        "*.nhs_number",
        "*.police_identifiers",
        "*.contact",
        "*.safe_contact",
        "*.home_address",
        "*.safe_address",
        "*.work_address",
        "*.other_address",
        "*.clinical",
        "*.general_practice",
        "*.description",
        "*.school",
        "*.occupation",
        "statement.summary",
        "adviser.case_notes",
        "adviser.safety_plan",
        "event.location",
    )
    for item in expand(pattern)
)
"""What says, by itself or with a little more, who somebody is."""


def _research(side: _Side) -> Iterator[Remark]:
    confidential = sorted(side.whole & (_IDENTIFYING | _PATIENT_INFORMATION))
    if side.flow.lawful_basis.is_research and confidential and not side.flow.national_data_opt_out.applied:
        words = (
            f"confidential patient information leaves for research or planning ({confidential[0]}): the opt-out applies"
        )
        yield "opt-out-not-applied", (*side.path, "national_data_opt_out", "applied"), words


def _tracing(side: _Side) -> Iterator[Remark]:
    if side.flow.purpose == "tracing" and not side.to_nhs:
        words = "PDS is asked under the ODS code of the recipient's party, and a party here has none"
        yield "asked-by-no-nhs-party", (*side.path, "to"), words


def _categories(side: _Side) -> Iterator[Remark]:
    registered = set(side.flow.register_.data_categories)
    for item in sorted(side.leaving):
        found = side.categories[item]
        if not found:
            yield "item-without-category", side.path, f"{item} leaves and belongs to no category of data"
        elif missing := sorted(found - registered):
            words = f"{item} leaves, and the register of this flow does not name its category {missing[0]}"
            yield "not-in-register", (*side.path, "register", "data_categories"), words
