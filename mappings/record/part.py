"""What every piece of a record is: a frozen model whose leaves each name the data item they belong to.

Nothing of any particular piece is here. Source: design.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints


@dataclass(frozen=True, slots=True)
class Item:
    """The data item a leaf belongs to.

    `name` is an item of the catalogue, or a pattern whose `{word}`s the part, or a part around it, fills: `{role}`
    by the role group of the person the leaf belongs to, `{use}` by the use of the address (`Part.word`).
    """

    name: str


Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")]
"""A code of some list: no spaces, no narrative, at most 64 characters."""


Ref = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""An opaque reference that means nothing outside the gateway."""


class Part(BaseModel):
    """A piece of a record. Unknown fields are refused; a part never changes after it is built.

    `gate` is the item that says whether the part is there at all: where it is withheld, the whole part goes.
    `fills` is the word a class fills in the patterns of its items and of those inside it, `choices` all it can be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)
    gate: ClassVar[str | None] = None
    fills: ClassVar[str | None] = None
    choices: ClassVar[tuple[str, ...]] = ()

    def word(self) -> str:
        """What this part fills in for `fills`."""
        return ""
