"""Taking in: the units that make a prepared record true, whatever it turns out to be.

    answer           what became of a record
    referring        a referral as an offer makes it (pure)
    offering         what a record does to its referrals: it makes one, moves one on, tells who was given something
    known_incident   a record of an incident that is known under another name: joined, linked, or shown beside
    take_in          the unit that decides which of these a record is
    again            the unit that takes in what a human's table kept

Which records are of one incident is said by `gateway.same_incident`; what is judged before, by `gateway.intake`.

Source: domain.md sections 4.1, 4.2, 4.7.
"""

from gateway.taking.answer import Answer, Taken
from gateway.taking.take_in import TakeIn

__all__ = ["Answer", "TakeIn", "Taken"]
