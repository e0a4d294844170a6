"""What an officer looks for: cases that nobody has answered in time, and those in which she asks to be rung.

Found by columns alone, and never one too few: a case that is found may yet turn out to have been answered, once its
words are opened and decided (`officers`). What the team did and may not say leaves no trace (P8): a case counts as
answered by a word that may be told, whatever stands in it, and by nothing else.

Source: domain.md sections 4.1 (steps 6 to 9), 4.3, 5.2 (10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import orjson
from sqlalchemy import ColumnElement, Connection, and_, bindparam, not_, or_, select

from audit.entry import timestamp
from gateway.decide import Facts, Outcome, decide_on
from gateway.feedback import FEEDBACK, told_facts
from gateway.store.tables import feedback, referral
from gateway.terms import Standing
from mappings.record import ConsentState, FeedbackCode, Grade
from mappings.referral import ReferralStatus

SILENT = frozenset({FeedbackCode.RECEIVED, FeedbackCode.ENTERED_IN_ERROR})
"""The words that say nothing of whether somebody has answered."""

ASKED_WITHIN = timedelta(days=92)
"""How long after she asked for it a call may still be listed, whatever time she named."""


def unanswered(
    connection: Connection, standing: Standing, log_id: str, force: str, recipient: str, now: datetime
) -> ColumnElement[bool]:
    """The cases that had to be answered by now and have no word that is sure to be told."""
    words = {
        text: Facts.from_json(orjson.loads(text))
        for text in connection.execute(_FACTS, {"log": log_id, "force": force}).scalars()
    }
    told = select(feedback.c.seq).where(
        feedback.c.referral_id == referral.c.id,
        feedback.c.in_error_at.is_(None),
        or_(feedback.c.expires_at.is_(None), feedback.c.expires_at > timestamp(now)),
        feedback.c.code.in_(_ANSWERS),
        or_(
            *(
                and_(carried, feedback.c.word_facts.in_(_surely_told(words, consent, standing, recipient, now)))
                for consent, carried in _CARRIED.items()
            )
        ),
    )
    return and_(
        referral.c.respond_by <= timestamp(now),
        referral.c.status != ReferralStatus.ENTERED_IN_ERROR.value,
        not_(told.exists()),
    )


def asked_to_ring(log_id: str, force: str, now: datetime) -> ColumnElement[bool]:
    """The cases in which she asked for a call lately, or may have: of an old word nobody knows without opening it."""
    asked = select(feedback.c.referral_id).where(
        feedback.c.log_id == log_id,
        feedback.c.force == force,
        or_(feedback.c.code == FeedbackCode.VICTIM_REQUESTS_CALL.value, feedback.c.code.is_(None)),
        feedback.c.created_at >= timestamp(now - ASKED_WITHIN),
        feedback.c.in_error_at.is_(None),
    )
    return referral.c.id.in_(asked)


_ITEM = FeedbackCode.ACKNOWLEDGED.item_word
_ANSWERS = [one.value for one in FeedbackCode if one not in SILENT and one.item_word == _ITEM]
"""The words of what the team did. What she wishes comes beside one of them, and goes with her consent alone."""

_FACTS = (
    select(feedback.c.word_facts)
    .where(
        feedback.c.log_id == bindparam("log"),
        feedback.c.force == bindparam("force"),
        feedback.c.code.in_(_ANSWERS),
        feedback.c.word_facts.is_not(None),
    )
    .distinct()
)


def _surely_told(
    words: Mapping[str, Facts], consent: str | None, standing: Standing, recipient: str, now: datetime
) -> list[str]:
    """The facts of words that may be told of a referral of such a consent, whatever else is said of it."""

    def told(word: Facts, grade: str | None, *, children: bool) -> bool:
        side = replace(word, grade=grade, children=children, consent=consent)
        decision = decide_on(told_facts(word, side), recipient, FEEDBACK, standing.terms, now)
        goes = decision.ruling.methods.get(_ITEM, "withheld") is None
        return decision.outcome is Outcome.PERMITTED and goes

    return [
        text
        for text, word in words.items()
        if all(told(word, grade, children=children) for grade, children in product(_GRADES, (False, True)))
    ]


_GRADES = (None, *(one.value for one in Grade))


def _says(consent: ConsentState) -> ColumnElement[bool]:
    """Whether the facts of a referral say so of consent. They are JSON of our own, without a space."""
    return referral.c.facts.contains(f'"consent":"{consent.value}"', autoescape=True)


_REFUSED, _WITHDRAWN = _says(ConsentState.REFUSED), _says(ConsentState.WITHDRAWN)
_CARRIED: Mapping[str | None, ColumnElement[bool]] = {
    None: not_(or_(_REFUSED, _WITHDRAWN)),
    ConsentState.REFUSED.value: _REFUSED,
    ConsentState.WITHDRAWN.value: _WITHDRAWN,
}
"""What a referral says of consent that counts for the words about it (`feedback.told_facts`), as it is asked."""
