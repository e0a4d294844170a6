"""Form: something was entered by mistake, and is marked so. Nothing of it is deleted, and what it did is undone.

Source: UK GDPR articles 5(1)(d), 16; domain.md section 4.2.
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
from gateway.entered_in_error import can_be, take_back


def _entered(page: CasePage, _: Visit) -> Options:
    """What was done in this case and stands, what was entered last at the top."""
    done = [one for one in reversed(page.acts.done) if can_be(one, page.file.referral.id)]
    return [(one.id, f"{moment_of(one, page).title}, {when(one.happened_at)}", _beside(page, one)) for one in done]


def _beside(page: CasePage, one: Done) -> str:
    return ". ".join((*moment_of(one, page).lines, f"Entered by {one.by}"))


class InErrorForm(Noted):
    """What was entered by mistake, and what was wrong with it."""

    event: Annotated[
        str, Field(title="what was entered by mistake", max_length=64), Ask("radios", "What is it?", _entered)
    ]
    reason: Annotated[
        WhyInError, Field(title="what is wrong with it"), coded("What is wrong with it?", WhyInError, "why-in-error")
    ]


async def _in_error(sent: Sent[InErrorForm]) -> Proof:
    console, form = sent.console, sent.said
    said = EnteredInError(reason=form.reason, note=form.note)
    caller, case = sent.visit.caller, sent.referral_id
    done = await take_back(console.services, console.library, caller, case, form.event, said, sent.matches, form.key)
    return done.receipt, done.log_id


FORMS: Mapping[str, Does[Any]] = {"entered-in-error": Does(InErrorForm, _in_error)}
"""What the form does."""
