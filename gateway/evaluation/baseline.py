"""What others published, or a deployment knows of the time before: figures as data, each with its source.

Read strictly from TOML: an unknown key, an unknown figure or a missing source is refused, naming the place.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from gateway.evaluation.definitions import RATES

Line = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Hours = Annotated[float, Field(ge=0, le=100_000)]

LATENCY = "latency"
FIGURES = frozenset({LATENCY, *(one.id for one in RATES)})
"""What a published figure can stand beside."""


class BaselineInvalid(ValueError):
    """The file is no baseline; the words name the place."""


class Published(BaseModel):
    """A figure of others: a share in per cent, or a time as a range of hours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str
    when: Literal["before", "since"]
    per_cent: Annotated[float, Field(ge=0, le=100)] | None = None
    hours: tuple[Hours, Hours] | None = None
    words: Line
    source: Line

    @model_validator(mode="after")
    def _one_value(self) -> Published:
        if self.figure not in FIGURES:
            raise ValueError(f"figure is one of {', '.join(sorted(FIGURES))}")
        if (self.figure == LATENCY) is (self.hours is None) or (self.hours is None) is (self.per_cent is None):
            raise ValueError("a share is given as per_cent, and the time as hours")
        return self

    @property
    def value(self) -> str:
        """The figure in words."""
        if self.hours is None:
            return f"{self.per_cent:g} %"
        low, high = self.hours
        return f"{low:g} hours" if low == high else f"{low:g} to {high:g} hours"


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    published: Annotated[tuple[Published, ...], Field(max_length=100)]


def read_baseline(text: str) -> tuple[Published, ...]:
    """The figures of a TOML text. Raises BaselineInvalid."""
    try:
        return _File.model_validate(tomllib.loads(text)).published
    except tomllib.TOMLDecodeError as unreadable:
        raise BaselineInvalid(str(unreadable)) from None
    except ValidationError as invalid:
        first = invalid.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BaselineInvalid(f"{place}: {first['msg']}") from None


@cache
def shipped() -> tuple[Published, ...]:
    """What was published of Operation Provide (domain.md section 0a)."""
    return read_baseline(files("gateway.evaluation").joinpath("baseline.toml").read_text("utf-8"))
