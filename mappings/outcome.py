"""How a transform answers: a value, a value with a remark, or that it cannot read this.

None as a value means that the source says nothing here, which is no fault: a safety question answered "unknown" is one.
"""

from __future__ import annotations

from dataclasses import dataclass


class Cannot(Exception):
    """This value cannot be read; `code` says why. It is left out, never guessed."""

    def __init__(self, code: str) -> None:
        """A finding code: no spaces, no value."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Noted:
    """A value that is kept, and the code of a finding on it."""

    value: object
    code: str
