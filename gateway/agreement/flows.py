"""The flows of an agreement: who gives to whom, for what, on which two separate bases, and its line in the register.

The lawful basis answers data protection law, the confidentiality basis the common law; the two are never one (domain.md
section 3.1). The models check form; whether a basis can carry its flow is for `traps.py` to say.

Source: domain.md sections 3.1, 3.4 (powers), 3.5 (national data opt-out), 3.7 (flow register).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from gateway.agreement.words import Id, Ids, Piece, Words

POWERS: Mapping[str, str] = {
    "common-law-police": "common-law power of the police to prevent crime and protect life",
    "common-law-nhs": "common law: disclosure with consent, or in the overriding public interest",
    "cda-1998-s115": "Crime and Disorder Act 1998 s.115 (a power, not a duty)",
    "ca-1989-s17-s47": "Children Act 1989 ss.17 and 47",
    "ca-2004-s10-s11": "Children Act 2004 ss.10 and 11",
    "care-act-2014-s42": "Care Act 2014 s.42 (adults who need care and cannot protect themselves)",
    "care-act-2014-s45": "Care Act 2014 s.45 (a request by a Safeguarding Adults Board)",
    "pcsc-2022-s16": "Police, Crime, Sentencing and Courts Act 2022 s.16 (Serious Violence Duty)",
    "pcsc-2022-s44a": "Police, Crime, Sentencing and Courts Act 2022 s.44A (victim information request)",
    "vpa-2024-s13": "Victims and Prisoners Act 2024 s.13 (duty to collaborate)",
    "nhs-act-2006": "National Health Service Act 2006: functions of a foundation trust",
}
"""The powers an agreement can name. A closed set, so that the traps of domain.md section 3.4 are found by name."""

Confidence = Literal[
    "consent",
    "overriding-public-interest",
    "legal-duty",
    "court-order",
    "direct-care",
    "police-common-law",
    "pseudonymised",
]

CONFIDENCES: Mapping[str, str] = {
    "consent": "the consent of the person it is about",
    "overriding-public-interest": "an overriding public interest, weighed and recorded",
    "legal-duty": "a duty laid down by law",
    "court-order": "the order of a court",
    "direct-care": "direct care, within the team that gives it",
    "police-common-law": "the common-law power of the police to prevent crime and protect life",
    "pseudonymised": "nothing in it says who anybody is, so that no confidence is broken",
}
"""The ways the duty of confidentiality is met, in words. A closed set: free text could say nothing."""
assert CONFIDENCES.keys() == set(get_args(Confidence))  # noqa: S101 - two lists of one thing, compared when loaded

Regime = Literal["dpa-part-3", "uk-gdpr"]


class LawfulBasis(Piece):
    """Why it is lawful to process: data protection law alone. Confidentiality is another question.

    `article_10` says, in words, what opens offence data to a controller under the UK GDPR (DPA 2018 s.10(5));
    `schedule_8` the condition for sensitive processing by police under Part 3 (DPA 2018 s.35(5)).
    """

    discloser_regime: Regime
    recipient_regime: Regime
    article_6: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^6\(1\)\(([a-f]|ea)\)$")], ...], Field(min_length=1)
    ]
    article_9: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^9\(2\)\([a-j]\)$")], ...], Field(min_length=1)
    ]
    article_10: Words | None = None
    schedule_1: Annotated[tuple[Annotated[int, Field(ge=1, le=37)], ...], Field(min_length=1)]
    schedule_8: Annotated[tuple[Annotated[int, Field(ge=1, le=9)], ...] | None, Field(min_length=1)] = None
    powers: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _known_powers(self) -> Self:
        if not set(self.powers) <= POWERS.keys():
            raise ValueError("a power that the gateway does not know")
        return self

    @property
    def is_research(self) -> bool:
        """Whether it is for research, statistics or planning, to which the national data opt-out applies."""
        return "9(2)(j)" in self.article_9


class Confidentiality(Piece):
    """How the duty of confidentiality is met: the default first, and in words when each of the bases is used."""

    bases: Annotated[tuple[Confidence, ...], Field(min_length=1)]
    words: Words


class Request(Piece):
    """What each release of a flow answers: a victim information request, or one of a Safeguarding Adults Board."""

    kind: Literal["victim-information-request", "safeguarding-adults-board"]
    words: Words


class OptOut(Piece):
    """Whether the national data opt-out is applied to a flow, and why or why not."""

    applied: bool
    words: Words


class Risk(Piece):
    """How risky the flow is rated, and why."""

    rating: Literal["low", "medium", "high"]
    reason: Words


class Register(Piece):
    """The flow's line in the register of the Information Sharing Gateway (domain.md section 3.7).

    `data_subjects` and `data_categories` name those the agreement describes under `data`.
    """

    data_subjects: Ids
    data_categories: Ids
    method: Words
    frequency: Words
    volume: Words
    storage: Words
    access: Words
    risk: Risk
    owner: Id


class Flow(Piece):
    """One direction of sharing, for one purpose, with its two separate bases.

    `request` says what kind of request each release answers; a flow that answers none leaves it out.
    """

    id: Id
    title: Words
    from_: Ids = Field(alias="from")
    to: Ids
    purpose: Id
    purpose_in_words: Words
    request: Request | None = None
    lawful_basis: LawfulBasis
    confidentiality: Confidentiality
    national_data_opt_out: OptOut
    register_: Register = Field(alias="register")
