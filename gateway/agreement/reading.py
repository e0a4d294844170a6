"""An agreement read from the file a lawyer writes: its content, its lines, and the hash its parties sign.

The hash is SHA-256 over the content as RFC 8785 JSON: comments and layout do not change it, meaning does. Reading is
strict; whether what is read is wise is for `agreement_check.py`, whether it is in force for `standing.py`.

Source: design.md section 6; RFC 8785.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from audit.canonical import canonical, encode
from gateway.agreement.content import Content
from gateway.agreement.names import faults
from gateway.agreement.text import AgreementUnreadable, Document, Path, load


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """An agreement as read: its content, its text, and the canonical bytes whose SHA-256 (hex) is its hash.

    `lines` says on which line of the text, from 1, each part of the content stands.
    """

    content: Content
    text: bytes
    canonical: bytes
    hash: str
    lines: Mapping[Path, int]

    @property
    def id(self) -> str:
        """Its name, the same for all versions."""
        return self.content.id

    @property
    def version(self) -> int:
        """Its version, from 1."""
        return self.content.version


def parse(text: bytes) -> Agreement:
    """Read an agreement. Raises AgreementUnreadable naming line, path and reason."""
    document = load(text)
    plain = canonical(document.content)
    try:
        content = Content.model_validate_json(encode(_open(document.content)))
    except ValidationError as fault:
        raise _unreadable(document, fault) from None
    for path, reason in faults(content):
        raise document.unreadable(path, reason)
    return Agreement(content, text, plain, hashlib.sha256(plain).hexdigest(), document.lines)


@cache
def shipped(name: str = "operation-provide") -> Agreement:
    """An agreement that comes with the gateway, unsigned; read once."""
    return parse((FilePath(__file__).parents[1] / "agreements" / f"{name}.yaml").read_bytes())


_OPEN = frozenset(
    {"kinds", "areas", "grades", "consent", "children", "within_days", "ages", "markings", "relationships"}
)


def _open(value: Any) -> Any:  # noqa: ANN401 - plain JSON of any shape
    """The content with None where a condition says `any`: a text cannot hold None, so nothing else reads so."""
    if isinstance(value, dict):
        return {k: None if v == "any" and k in _OPEN else _open(v) for k, v in value.items()}
    return [_open(one) for one in value] if isinstance(value, list) else value


def _unreadable(document: Document, fault: ValidationError) -> AgreementUnreadable:
    """The first thing the models refused, at its line. A key misspelt is unknown before its own is missing."""
    refused = fault.errors(include_input=False, include_url=False)
    first = next((one for one in refused if one["type"] == "extra_forbidden"), refused[0])
    path: Path = ()
    for step in first["loc"]:  # a step that is not in the text names an alternative of the schema
        if (*path, step) in document.lines:
            path = (*path, step)
    if first["type"] == "missing":
        return document.unreadable((*path, first["loc"][-1]), "missing")
    reason = "an unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
    return document.unreadable(path, reason)
