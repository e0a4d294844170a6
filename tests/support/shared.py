"""Finds the public test data that lies beside the project; it is not part of it."""

from pathlib import Path

import pytest


def shared_data(*parts: str) -> Path:
    """Return a path under `shared/data`, found by searching upward; skip the test where it is absent."""
    for folder in Path(__file__).resolve().parents:
        found = folder.joinpath("shared", "data", *parts)
        if found.exists():
            return found
    pytest.skip(f"the public test data {'/'.join(parts)} is not beside the project")
