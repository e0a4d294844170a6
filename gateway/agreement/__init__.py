"""Agreements: read from the file a lawyer writes, signed by every party, and in force or not at an instant.

`parse` reads the text strictly; `Terms` is an agreement with its signatures. Around them lie the words, what changed
between two versions, and the traps of the law. It keeps no clock and does not judge: deciding is `decide.py`.
"""

from gateway.agreement.reading import Agreement, parse, shipped
from gateway.agreement.standing import WARNING_DAYS, Signature, Standing, State, Status, Terms, sign, signs
from gateway.agreement.text import AgreementUnreadable

__all__ = [
    "WARNING_DAYS",
    "Agreement",
    "AgreementUnreadable",
    "Signature",
    "Standing",
    "State",
    "Status",
    "Terms",
    "parse",
    "shipped",
    "sign",
    "signs",
]
