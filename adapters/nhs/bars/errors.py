"""What can go wrong with a BaRS-style message: one error, with the row of the taxonomy it is answered by.

It carries paths and words of ours, never a value of what was sent (P7).
"""

from __future__ import annotations

from adapters.nhs.bars.words import Fault


class BarsRefused(Exception):
    """A message that is not taken. `expression` is the FHIRPath of the element, or the name of the header."""

    def __init__(self, fault: Fault, diagnostics: str, expression: str | None = None) -> None:
        super().__init__(f"{expression}: {diagnostics}" if expression else diagnostics)
        self.fault = fault
        self.diagnostics = diagnostics
        self.expression = expression
