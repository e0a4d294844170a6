"""Forms as people fill them in: bounded bytes in, a strict model out, or what is wrong in words for whoever typed it.

A form is `application/x-www-form-urlencoded` in UTF-8 (HTML, form submission). What is left empty is not said. A day
is three boxes, `name-day`, `name-month` and `name-year`, and becomes one value. A field is spoken of by its title
(`Field(title="when you called")`), and nothing of what was typed is repeated in a message: its box shows it.

Pure but for `received`, which reads a request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from gateway.errors import BadParameter, BodyTooLarge
from gateway.web.http import media_type, read_body

MOST_BYTES = 65_536
MOST_FIELDS = 200
MOST_CHARACTERS = 8_192  # of one value; the model says less where less makes sense
FORM_TYPE = "application/x-www-form-urlencoded"

Form = Mapping[str, tuple[str, ...]]
"""What was sent: each name with its values in order, line ends as LF."""


class FormModel(BaseModel):
    """What a form asks for: nothing in it unknown, no spaces around what was typed."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, in words; `field` is its name in the model, and "" where it is no single field's.

    The first box of a field has the field's name as its id, so that the summary of errors leads to it.
    """

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a form may hold: bytes in all, and characters of one value."""

    max_bytes: int = MOST_BYTES
    max_characters: int = MOST_CHARACTERS


USUAL = Bounds()


async def received(request: Request, bounds: Bounds = USUAL) -> Form:
    """The form of a request. Raises BadMediaType, BodyTooLarge, BadParameter."""
    media_type(request, (FORM_TYPE,))
    return parse(await read_body(request, bounds.max_bytes), bounds)


def parse(body: bytes, bounds: Bounds = USUAL) -> Form:
    """The form in a body. Raises BodyTooLarge, BadParameter."""
    if len(body) > bounds.max_bytes:
        raise BodyTooLarge(f"the form is larger than {bounds.max_bytes} bytes")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise BadParameter("the form cannot be read") from None
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise BadParameter("the form holds a zero character")
        text = value.replace("\r\n", "\n")  # HTML sends line ends as CRLF, and counts them as one character
        if len(text) > bounds.max_characters:
            raise BodyTooLarge(f"a field of the form is longer than {bounds.max_characters} characters")
        found[name] = (*found.get(name, ()), text)
    return found


def read(form: Form, model: type[M]) -> M | tuple[FieldError, ...]:
    """The form as a model, or what is wrong with it, in the order of the model's fields."""
    try:
        return model.model_validate(_said(form, model))
    except ValidationError as invalid:
        found: dict[str, FieldError] = {}
        for error in invalid.errors(include_input=False, include_url=False):
            one = _told(error, model)
            found.setdefault(one.field, one)  # one message for each field: the first thing to put right
        order = list(model.model_fields)
        return tuple(sorted(found.values(), key=lambda one: order.index(one.field) if one.field in order else -1))


def typed(form: Form) -> dict[str, str]:
    """What was typed, the first value of each name, for a page that shows it again."""
    return {name: values[0] for name, values in form.items()}


_DAY_PARTS = ("day", "month", "year")
_PART = re.compile(rf"(.+)-({'|'.join(_DAY_PARTS)})")


def _said(form: Form, model: type[BaseModel]) -> dict[str, Any]:
    """What was said of each field: a text, a list of texts, or nothing where all of it is empty."""
    said: dict[str, Any] = {}
    days: dict[str, dict[str, str]] = {}
    for name, values in form.items():
        part = _PART.fullmatch(name)
        if part is not None and part[1] in model.model_fields:
            days.setdefault(part[1], {})[part[2]] = values[0].strip()
            continue
        filled = [value for value in values if value.strip()]
        if filled:
            many = name in model.model_fields and _is_list(model.model_fields[name].annotation)
            # A box that holds one thing and was sent with two is refused: of two, nobody knows which was meant.
            said[name] = filled if many or len(filled) > 1 else filled[0]
    for name, parts in days.items():
        if any(parts.values()):
            said[name] = _day(*(parts.get(part, "") for part in _DAY_PARTS))
    return said


def _day(day: str, month: str, year: str) -> str:
    """A day as RFC 3339 writes it; what is no number stays as it is, and is then no day."""
    if all(part.isascii() and part.isdecimal() for part in (day, month, year)):
        return f"{year}-{month:>02}-{day:>02}"
    return f"{year}-{month}-{day}"


def _is_list(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        return any(_is_list(one) for one in get_args(annotation))
    return origin in {tuple, list, frozenset, set}


def _told(error: Any, model: type[BaseModel]) -> FieldError:  # noqa: ANN401 - pydantic's ErrorDetails
    """One of pydantic's errors, to the person who filled the form in."""
    name = str(error["loc"][0]) if error["loc"] else ""
    if name not in model.model_fields:  # a rule over several fields, or a field of another form
        return FieldError("", _said_by_us(error) or "This form has changed. Load the page again.")
    field = model.model_fields[name]
    return FieldError(name, _message(error, field.title or name.replace("_", " "), field.annotation))


_WRONG: Mapping[str, str] = {
    "string_too_long": "{Title} must be {max_length} characters or fewer",
    "string_too_short": "{Title} must be {min_length} characters or more",
    "too_long": "{Title}: choose at most {max_length}",
    "too_short": "{Title}: choose at least {min_length}",
    "int_parsing": "{Title} must be a whole number",
    "greater_than_equal": "{Title} must be {ge} or more",
    "greater_than": "{Title} must be more than {gt}",
    "less_than_equal": "{Title} must be {le} or less",
    "less_than": "{Title} must be less than {lt}",
}
"""What is wrong, by pydantic's type of error; what is not here is said by what kind of field it is."""


def _message(error: Any, title: str, annotation: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails, any annotation
    words = {"title": title, "Title": title[:1].upper() + title[1:]}
    kind = error["type"]
    if ours := _said_by_us(error):
        return ours
    if kind == "missing":
        return f"{'Choose' if _is_chosen(annotation) else 'Enter'} {title}"
    if kind in _WRONG:
        return _WRONG[kind].format(**words, **error.get("ctx", {}))
    if kind.startswith("date"):
        return f"{words['Title']} must be a real date, like 27 3 2026"
    if kind.startswith("time"):
        return f"{words['Title']} must be a time, like 16:30"
    return f"{'Choose' if _is_chosen(annotation) else 'Enter'} {title}"


def _said_by_us(error: Any) -> str | None:  # noqa: ANN401 - pydantic's ErrorDetails
    """The words of a validator of the model's own (`raise ValueError`), which never repeat what was typed."""
    return str(error["ctx"]["error"]) if error["type"] == "value_error" else None


def _is_chosen(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    """Whether a field is chosen from what the page offers, rather than typed."""
    origin = get_origin(annotation)
    if origin is Literal or annotation is bool or _is_list(annotation):
        return True
    if origin is not None:
        return any(_is_chosen(one) for one in get_args(annotation) if one is not type(None))
    return isinstance(annotation, type) and issubclass(annotation, Enum)
