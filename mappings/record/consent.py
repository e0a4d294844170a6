"""What a person said about sharing: the confidentiality question, not the lawful basis.

Source: domain.md sections 3.1 and 4.6.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime

from mappings.record.part import Code, Item, Part, Ref
from mappings.record.vocabulary import ConsentState


class Consent(Part):
    """What a person said about sharing, when, to whom and in whose presence (domain.md section 4.6).

    `explained` says that she was told her details may be shared (domain.md section 1.3, `consent_to_share`).
    `suspect_channel` says that it was said over a telephone, an address or an account the suspect shares.
    """

    gate: ClassVar[str | None] = "consent.state"
    ref: Annotated[Ref, Item("consent.state")]
    state: Annotated[ConsentState, Item("consent.state")]
    subject: Annotated[Ref | None, Item("consent.state")] = None
    scope: Annotated[tuple[Code, ...], Item("consent.state")] = ()
    asked_by: Annotated[Code | None, Item("consent.state")] = None
    at: Annotated[AwareDatetime | None, Item("consent.state")] = None
    explained: Annotated[bool | None, Item("consent.state")] = None
    suspect_present: Annotated[bool | None, Item("consent.state")] = None
    suspect_channel: Annotated[bool | None, Item("consent.state")] = None
    reason: Annotated[str | None, Item("consent.reason")] = None

    @property
    def effective(self) -> ConsentState:
        """The state that counts: consent the suspect could hear or read is no consent (domain.md section 4.6)."""
        if self.state is ConsentState.GIVEN and (self.suspect_present or self.suspect_channel):
            return ConsentState.NOT_ASKED
        return self.state
