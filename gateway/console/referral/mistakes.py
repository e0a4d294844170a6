"""Forms: something was entered by mistake, and is marked so. Nothing of it is deleted, and what it did is undone.

Consent that was refused by mistake may keep the case from whoever entered it: they take it back by a form that shows
nothing of the case (P8).

Source: UK GDPR articles 5(1)(d), 16; domain.md sections 4.2, 4.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from gateway.case_page import CasePage
from gateway.casework.acts import EnteredInError
from gateway.casework.codes import WhyInError
from gateway.casework.reading import Done
from gateway.console.guard import Visit
from gateway.console.referral.asking import Ask, Does, Noted, Options, Proof, Sent, coded
from gateway.console.referral.timeline import moment_of
from gateway.console.times import when
from gateway.entered_in_error import take_back


def _entered(page: CasePage, visit: Visit) -> Options:
    """What of this case this person can take back, what was entered last at the top."""
    done = [one for one in reversed(page.past.done) if page.past.allows(one.id, visit.caller)]
    return [(one.id, f"{moment_of(one, page).title}, {when(one.happened_at)}", _beside(page, one)) for one in done]


def _beside(page: CasePage, one: Done) -> str:
    return ". ".join((*moment_of(one, page).lines, f"Entered by {one.by}"))


_Reason = Annotated[
    WhyInError, Field(title="what is wrong with it"), coded("What is wrong with it?", WhyInError, "why-in-error")
]


class InErrorForm(Noted):
    """What was entered by mistake, and what was wrong with it."""

    event: Annotated[
        str, Field(title="what was entered by mistake", max_length=64), Ask("radios", "What is it?", _entered)
    ]
    reason: _Reason


class ConsentInErrorForm(Noted):
    """What was wrong with what one entered last of what the victim says of sharing."""

    reason: _Reason


async def _in_error(sent: Sent[InErrorForm]) -> Proof:
    console, form = sent.console, sent.said
    said = EnteredInError(reason=form.reason, note=form.note)
    caller, case = sent.visit.caller, sent.referral_id
    done = await take_back(console.services, console.library, caller, case, form.event, said, sent.matches, form.key)
    return done.receipt, done.log_id


async def _consent_in_error(sent: Sent[ConsentInErrorForm]) -> Proof:
    console, form = sent.console, sent.said
    said = EnteredInError(reason=form.reason, note=form.note)
    caller, case = sent.visit.caller, sent.referral_id
    done = await take_back(console.services, console.library, caller, case, None, said, key=form.key)
    return done.receipt, done.log_id


FORMS: Mapping[str, Does[Any]] = {
    "entered-in-error": Does(InErrorForm, _in_error),
    "consent-in-error": Does(ConsentInErrorForm, _consent_in_error),
}
"""What each form does."""
