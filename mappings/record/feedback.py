"""What an adviser tells police, in coded words alone. Source: domain.md section 4.3."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from mappings.record.part import Code, Item, Part, Ref
from mappings.record.vocabulary import FeedbackCode


class Feedback(Part):
    """One coded word from the adviser to police (domain.md section 4.3).

    One that was entered in error is taken back by a word with its own `at` and `count`, whose `value` is its code; that
    word belongs to the item that it takes back.

    `consent_ref` names the consent it is told under, for both sides to quote. From `expiry` on it is told no more.
    """

    gate: ClassVar[str | None] = "{engagement}"
    fills: ClassVar[str | None] = "engagement"
    choices: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys(c.item_word for c in FeedbackCode))
    code: Annotated[FeedbackCode, Item("{engagement}")]
    at: Annotated[AwareDatetime, Item("{engagement}")]
    value: Annotated[Code | None, Item("{engagement}")] = None
    count: Annotated[int | None, Field(ge=0, le=1000), Item("{engagement}")] = None
    author_role: Annotated[Code | None, Item("{engagement}")] = None
    consent_ref: Annotated[Ref | None, Item("{engagement}")] = None
    expiry: Annotated[AwareDatetime | None, Item("{engagement}")] = None

    def word(self) -> str:  # noqa: D102 - said by Part.word
        if self.code is FeedbackCode.ENTERED_IN_ERROR:
            return _WORD_OF.get(self.value or "", FeedbackCode.DECLINED_SUPPORT.item_word)
        return self.code.item_word


_WORD_OF = {code.value: code.item_word for code in FeedbackCode}
"""What a word belongs to that takes another back, by the other's code; what it does not name is taken for a wish."""
