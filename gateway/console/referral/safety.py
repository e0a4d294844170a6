"""Forms: what makes her and her children safer, as far as others must know that it was done.

What is in a safety plan, what the register of protected children says and what a conference hears stay where they are.

Source: domain.md sections 1.8, 2.8 (CP-IS), 4.1 (step 10), 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from gateway.case_page import CasePage
from gateway.casework import acts
from gateway.casework.codes import ChildService, Criterion, Direction
from gateway.console.guard import Visit
from gateway.console.referral.asking import (
    Ask,
    CaseForm,
    Does,
    Noted,
    Words,
    acting,
    children_of,
    coded,
    name_of,
    options,
)
from mappings.record import ConsentState
from mappings.record import Role as InRecord

YesNo = Literal["yes", "no"]
_YES_NO = (("yes", "Yes"), ("no", "No"))
Ref = Annotated[str, Field(max_length=64)]


class PlanForm(Noted):
    """Whether there is a plan, and when it is looked at again."""

    in_place: Annotated[
        YesNo,
        Field(title="whether a safety plan is in place"),
        Ask("radios", "Is a safety plan in place?", _YES_NO),
    ]
    review_on: Annotated[
        date | None,
        Field(title="the review date", validate_default=True),
        Ask("day", "When is it looked at again?"),
    ] = None

    @field_validator("review_on")
    @classmethod
    def _dated(cls, review_on: date | None, info: ValidationInfo) -> date | None:
        if review_on is None and info.data.get("in_place") == "yes":
            raise ValueError("Enter the day on which the plan is looked at again")
        return review_on


def _met(page: CasePage, _: Visit) -> tuple[str, ...]:
    """The criteria that police stated, or that were found here."""
    met = (one.code for one in page.file.record.criteria if one.met is not False and one.code in set(Criterion))
    return tuple(dict.fromkeys(met))


def _feared(page: CasePage, _: Visit) -> str:
    return ", ".join(name_of(one) for one in page.file.record.of_role(InRecord.SUSPECT))


_CONSENTS = (
    ("given", "Yes"),
    ("refused", "No: the victim refused"),
    ("not-asked", "No: the victim was not asked"),
)


class MaracForm(CaseForm):
    """What the form of the conference asks, with what is known filled in."""

    criteria: Annotated[
        tuple[Criterion, ...],
        Field(title="at least one criterion", min_length=1, max_length=4),
        Ask(
            "checkboxes",
            "Which criteria are met?",
            options(Criterion, "criterion"),
            hint="Those that police stated, or that were found here, are ticked. Untick what you do not share.",
            value=_met,
        ),
    ]
    aware: Annotated[
        YesNo,
        Field(title="whether the victim knows of the referral"),
        Ask("radios", "Does the victim know of the referral?", _YES_NO),
    ]
    why_not_aware: Annotated[
        Words | None,
        Field(title="why the victim does not know", validate_default=True),
        Ask("area", "If not, why not?"),
    ] = None
    consent: Annotated[
        Literal["given", "refused", "not-asked"],
        Field(title="whether the victim consents"),
        Ask("radios", "Does the victim consent?", _CONSENTS),
    ]
    justification: Annotated[
        Words | None,
        Field(title="why it is shared all the same", validate_default=True),
        Ask("area", "If not, why is it shared all the same?"),
    ] = None
    reason: Annotated[
        Words | None, Field(title="the reason for the referral"), Ask("area", "Reason for the referral")
    ] = None
    afraid_of: Annotated[
        Words | None,
        Field(title="whom the victim is afraid of"),
        Ask("text", "Whom is the victim afraid of?", value=_feared),
    ] = None
    safe_to_talk_to: Annotated[
        Words | None,
        Field(title="who is safe to talk to"),
        Ask("text", "Who does the victim believe is safe to talk to?"),
    ] = None
    unsafe_to_talk_to: Annotated[
        Words | None,
        Field(title="who is not safe to talk to"),
        Ask("text", "Who does the victim believe is not safe to talk to?"),
    ] = None
    referred_before: Annotated[
        date | None,
        Field(title="the day of the last referral"),
        Ask("day", "When was the last referral, if there was one?"),
    ] = None

    @field_validator("why_not_aware")
    @classmethod
    def _why(cls, why: str | None, info: ValidationInfo) -> str | None:
        if why is None and info.data.get("aware") == "no":
            raise ValueError("Enter why the victim does not know of the referral")
        return why

    @field_validator("justification")
    @classmethod
    def _justified(cls, why: str | None, info: ValidationInfo) -> str | None:
        if why is None and info.data.get("consent") in {"refused", "not-asked"}:
            raise ValueError("Enter why it is shared without the victim's consent")
        return why


class HeardForm(Noted):
    """When the conference heard her case."""

    on: Annotated[date, Field(title="the day of the conference"), Ask("day", "On which day?")]


class ChildForm(Noted):
    """Which children, and to whom."""

    children: Annotated[
        tuple[Ref, ...],
        Field(title="at least one child", min_length=1, max_length=32),
        Ask("checkboxes", "Which children?", children_of),
    ]
    to: Annotated[ChildService, Field(title="who was told"), coded("Who was told?", ChildService, "child-service")]


class CpisForm(Noted):
    """Which child was looked for."""

    child: Annotated[Ref, Field(title="the child"), Ask("radios", "Which child did you look for?", children_of)]


class RiskForm(Noted):
    """Which way the risk went."""

    direction: Annotated[
        Direction, Field(title="which way the risk went"), coded("Which way, as you judge it?", Direction, "direction")
    ]


FORMS: Mapping[str, Does[Any]] = {
    "safety-plan": acting(PlanForm, lambda in_place, **said: acts.SafetyPlan(in_place=in_place == "yes", **said)),
    "marac": acting(
        MaracForm,
        lambda aware, consent, **said: acts.MaracReferral(
            aware=aware == "yes", consent=acts.Consent(state=ConsentState(consent)), **said
        ),
    ),
    "marac-heard": acting(HeardForm, acts.MaracHeard),
    "marac-feedback": acting(Noted, acts.MaracFeedback),
    "children": acting(ChildForm, acts.ChildReferral),
    "cpis": acting(CpisForm, acts.CpisChecked),
    "risk": acting(RiskForm, acts.RiskChange),
    "welfare": acting(Noted, acts.WelfareConcern),
}
"""What each form does."""
