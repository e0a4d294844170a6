"""A progress bar for a person who waits: entries, share, rate; on one line of a terminal, and wiped at the end."""

import time
from typing import Final, TextIO

_EVERY_SECONDS: Final = 0.1
_WIDTH: Final = 30


class Bar:
    """Draws how far a reading of entries has come. Nothing is written to what is no terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out = out if out.isatty() else None
        self._began = self._drawn = time.monotonic()

    def show(self, done: int, of: int | None) -> None:
        """Draw, at most ten times a second."""
        now = time.monotonic()
        if self._out is None or now - self._drawn < _EVERY_SECONDS:
            return
        self._drawn = now
        share = min(1.0, done / of) if of else 0.0
        filled = round(share * _WIDTH)
        rate = done / (now - self._began)
        bar = f"[{'#' * filled}{'-' * (_WIDTH - filled)}] {share:4.0%}  {done:,} entries  {rate:,.0f}/s"
        self._out.write(f"\r{bar}\x1b[K")
        self._out.flush()

    def wipe(self) -> None:
        """Leave the line empty for what comes after."""
        if self._out is not None:
            self._out.write("\r\x1b[K")
            self._out.flush()
