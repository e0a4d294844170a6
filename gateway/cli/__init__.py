"""The operator's command line: `gateway …`, a module for each group of commands, put together in `program.py`."""

from gateway.cli.program import app, main

__all__ = ["app", "main"]
