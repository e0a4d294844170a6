"""Actions: what makes her and her children safer, as far as others must know that it was done.

What is in a safety plan, what the register of protected children says and what a conference hears stay where they are.

Source: domain.md sections 1.8, 2.8 (CP-IS), 4.1 (step 10), 4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from gateway.case_page import CasePage
from gateway.casework import acts
from gateway.casework.codes import ChildService, Criterion, Direction
from gateway.console.guard import Visit
from gateway.console.referral.asking import (
    Action,
    Ask,
    CaseForm,
    Group,
    Words,
    acting,
    children_of,
    name_of,
    options,
)
from gateway.console.referral.reaching import NOTE, Noted
from mappings.record import ConsentState
from mappings.record import Role as InRecord

YesNo = Literal["yes", "no"]
_YES_NO = (("yes", "Yes"), ("no", "No"))
Ref = Annotated[str, Field(max_length=64)]


class PlanForm(Noted):
    """Whether there is a plan, and when it is looked at again."""

    in_place: Annotated[YesNo, Field(title="whether a safety plan is in place")]
    review_on: Annotated[date | None, Field(title="the review date", validate_default=True)] = None

    @field_validator("review_on")
    @classmethod
    def _dated(cls, review_on: date | None, info: ValidationInfo) -> date | None:
        if review_on is None and info.data.get("in_place") == "yes":
            raise ValueError("Enter the day on which the plan is looked at again")
        return review_on


class MaracForm(CaseForm):
    """What the form of the conference asks."""

    criteria: Annotated[tuple[Criterion, ...], Field(title="at least one criterion", min_length=1, max_length=4)]
    aware: Annotated[YesNo, Field(title="whether the victim knows of the referral")]
    why_not_aware: Annotated[Words | None, Field(title="why the victim does not know", validate_default=True)] = None
    consent: Annotated[Literal["given", "refused", "not-asked"], Field(title="whether the victim consents")]
    justification: Annotated[Words | None, Field(title="why it is shared all the same", validate_default=True)] = None
    reason: Annotated[Words | None, Field(title="the reason for the referral")] = None
    afraid_of: Annotated[Words | None, Field(title="whom the victim is afraid of")] = None
    safe_to_talk_to: Annotated[Words | None, Field(title="who is safe to talk to")] = None
    unsafe_to_talk_to: Annotated[Words | None, Field(title="who is not safe to talk to")] = None
    referred_before: Annotated[date | None, Field(title="the day of the last referral")] = None

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

    on: Annotated[date, Field(title="the day of the conference")]


class ChildForm(Noted):
    """Which children, and to whom."""

    children: Annotated[tuple[Ref, ...], Field(title="at least one child", min_length=1, max_length=32)]
    to: Annotated[ChildService, Field(title="who was told")]


class CpisForm(Noted):
    """Which child was looked for."""

    child: Annotated[Ref, Field(title="the child")]


class RiskForm(Noted):
    """Which way the risk went."""

    direction: Annotated[Direction, Field(title="which way the risk went")]


def _marac(page: CasePage, _: Visit) -> Sequence[Ask]:
    """The form, with what is known filled in."""
    record = page.file.record
    met = tuple(one.code for one in record.criteria if one.met is not False and one.code in set(Criterion))
    feared = ", ".join(name_of(one) for one in record.of_role(InRecord.SUSPECT))
    consents = (
        ("given", "Yes"),
        ("refused", "No: the victim refused"),
        ("not-asked", "No: the victim was not asked"),
    )
    return (
        Ask(
            "checkboxes",
            "criteria",
            "Which criteria are met?",
            options(Criterion, "criterion"),
            hint="Those that police stated, or that were found here, are ticked. Untick what you do not share.",
            value=tuple(dict.fromkeys(met)),
        ),
        Ask("radios", "aware", "Does the victim know of the referral?", _YES_NO),
        Ask("area", "why_not_aware", "If not, why not?"),
        Ask("radios", "consent", "Does the victim consent?", consents),
        Ask("area", "justification", "If not, why is it shared all the same?"),
        Ask("area", "reason", "Reason for the referral"),
        Ask("text", "afraid_of", "Whom is the victim afraid of?", value=feared),
        Ask("text", "safe_to_talk_to", "Who does the victim believe is safe to talk to?"),
        Ask("text", "unsafe_to_talk_to", "Who does the victim believe is not safe to talk to?"),
        Ask("day", "referred_before", "When was the last referral, if there was one?"),
    )


PLAN = Action(
    slug="safety-plan",
    title="Safety plan",
    button="Record the safety plan",
    done="The safety plan is recorded.",
    group=Group.SAFETY,
    form=PlanForm,
    do=acting(lambda said: acts.SafetyPlan(in_place=said.in_place == "yes", review_on=said.review_on, note=said.note)),
    asks=lambda _, __: (
        Ask("radios", "in_place", "Is a safety plan in place?", _YES_NO),
        Ask("day", "review_on", "When is it looked at again?"),
        NOTE,
    ),
    intro="Only that there is a plan, and when it is looked at again. Do not write the plan here.",
    told="that a safety plan is in place, if one is",
    kept="what is in it, when it is looked at again, and your note",
)
MARAC = Action(
    slug="marac",
    title="Refer to MARAC",
    button="Record the referral",
    done="The referral to MARAC is recorded. You can download it as a file from this page.",
    group=Group.SAFETY,
    form=MaracForm,
    do=acting(
        lambda said: acts.MaracReferral(
            criteria=said.criteria,
            aware=said.aware == "yes",
            consent=acts.Consent(state=ConsentState(said.consent)),
            reason=said.reason,
            afraid_of=said.afraid_of,
            safe_to_talk_to=said.safe_to_talk_to,
            unsafe_to_talk_to=said.unsafe_to_talk_to,
            why_not_aware=said.why_not_aware,
            justification=said.justification,
            referred_before=said.referred_before,
        )
    ),
    asks=_marac,
    intro="The suspect must not learn of it. What is known here is filled in, in a file that you send yourself.",
    told="that the victim was referred to MARAC, and when",
    kept="everything you enter here: it goes into the file, and nowhere else",
)
HEARD = Action(
    slug="marac-heard",
    title="MARAC heard the case",
    button="Record the day",
    done="It is recorded that MARAC heard the case. The victim is to be told within two working days.",
    group=Group.SAFETY,
    form=HeardForm,
    do=acting(lambda said: acts.MaracHeard(on=said.on, note=said.note)),
    asks=lambda _, __: (Ask("day", "on", "On which day?"), NOTE),
)
FEEDBACK = Action(
    slug="marac-feedback",
    title="You told the victim what came of MARAC",
    button="Record that the victim was told",
    done="It is recorded that the victim was told what came of MARAC.",
    group=Group.SAFETY,
    form=Noted,
    do=acting(lambda said: acts.MaracFeedback(note=said.note)),
    asks=lambda _, __: (NOTE,),
    afterwards=True,
)
CHILDREN = Action(
    slug="children",
    title="Child referral made",
    button="Record the child referral",
    done="The child referral is recorded.",
    group=Group.SAFETY,
    form=ChildForm,
    do=acting(lambda said: acts.ChildReferral(children=said.children, to=said.to, note=said.note)),
    asks=lambda page, _: (
        Ask("checkboxes", "children", "Which children?", children_of(page)),
        Ask("radios", "to", "Who was told?", options(ChildService, "child-service")),
        NOTE,
    ),
    intro="If a child is at risk now, telephone first. This records that the referral was made; it does not make it.",
    told="that a child referral was made, and when",
    kept="which child, to whom, and your note",
)
CPIS = Action(
    slug="cpis",
    title="CP-IS checked",
    button="Record the check",
    done="The check of CP-IS is recorded.",
    group=Group.SAFETY,
    form=CpisForm,
    do=acting(lambda said: acts.CpisChecked(child=said.child, note=said.note)),
    asks=lambda page, _: (Ask("radios", "child", "Which child did you look for?", children_of(page)), NOTE),
    intro="What CP-IS said is kept nowhere here: do not write it into the note.",
)
RISK = Action(
    slug="risk",
    title="Risk has changed",
    button="Record the change of risk",
    done="The change of risk is recorded. The grade of the assessment stays what it was.",
    group=Group.SAFETY,
    form=RiskForm,
    do=acting(lambda said: acts.RiskChange(direction=said.direction, note=said.note)),
    asks=lambda _, __: (
        Ask("radios", "direction", "Which way, as you judge it?", options(Direction, "direction")),
        NOTE,
    ),
    intro="This is your judgement. The grade that was given stays as it is until somebody assesses it again.",
    told="that the risk went up or down, and when",
    kept="why, and your note",
    afterwards=True,
)
WELFARE = Action(
    slug="welfare",
    title="Welfare concern",
    button="Tell police now",
    done="Police are told that you are concerned for the victim.",
    group=Group.SAFETY,
    form=Noted,
    do=acting(lambda said: acts.WelfareConcern(note=said.note)),
    asks=lambda _, __: (NOTE,),
    intro="If the victim is in danger now, telephone 999 first. This is no substitute for a call.",
    told="that somebody must look after the victim, urgently",
    kept="why, and your note: say it on the telephone",
    afterwards=True,
    warning=True,
)
