"""What callers say of agreements: a text in YAML, a signature, a state, and what is to be explained.

Read strictly; a refusal names the place, and nothing that was said.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from starlette.requests import Request

from gateway.agreement import Agreement, AgreementUnreadable, Signature, parse
from gateway.agreement.text import MAX_BYTES
from gateway.errors import BadParameter, Detail, Unprocessable
from gateway.facts import Facts
from gateway.web.bodies import Body
from gateway.web.http import media_type, read_body
from mappings.items import CATALOGUE

YAML = ("application/yaml", "text/yaml", "application/x-yaml")
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]


class SignatureBody(Body):
    """A signature: the party, its raw Ed25519 public key and its signature, both in Base 64."""

    party: Code
    public_key: Annotated[str, Field(max_length=64)]
    signature: Annotated[str, Field(max_length=128)]


class StateBody(Body):
    """What becomes of a version, and a coded reason."""

    state: Literal["in-force", "suspended", "ended"]
    reason: Code | None = None


class ExplainBody(Body):
    """What is to be explained: facts, or an incident of the caller's own, for whom and for what, and to whom."""

    recipient: Code
    purpose: Code = "safeguarding"
    facts: dict[str, Any] | None = None
    incident: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")] | None = None
    face: Literal["whole", "sender", "recipient"] = Field(default="whole", alias="for")


async def posted(request: Request) -> Agreement:
    """The agreement in a body. Raises BadMediaType, BodyTooLarge, Unprocessable naming line and path."""
    media_type(request, YAML)
    text = await read_body(request, MAX_BYTES)
    try:
        return await asyncio.to_thread(parse, text)
    except AgreementUnreadable as fault:
        detail = Detail(fault.path, "unreadable", f"line {fault.line}: {fault.reason}")
        raise Unprocessable("the text is no agreement", details=[detail]) from None


def signature_of(body: SignatureBody) -> Signature:
    """A signature as it was handed in. Raises Unprocessable."""
    try:
        public_key = base64.b64decode(body.public_key, validate=True)
        return Signature(body.party, public_key, base64.b64decode(body.signature, validate=True))
    except ValueError:
        raise Unprocessable("public_key and signature are bytes in Base 64") from None


def facts_of(plain: dict[str, Any]) -> Facts:
    """Facts as a caller gives them. Raises Unprocessable naming the path."""
    try:
        facts = Facts.from_json(plain)
    except ValueError as wrong:
        raise Unprocessable(str(wrong)) from None
    if list(facts.items) != sorted(CATALOGUE.keys() & set(facts.items)):
        raise Unprocessable("facts.items are items of the catalogue, each once, in their order")
    return facts


def number_of(request: Request, name: str) -> int:
    """The version a parameter of the query names. Raises BadParameter."""
    values = request.query_params.getlist(name)
    if len(values) != 1 or not values[0].isascii() or not values[0].isdecimal() or len(values[0]) > _FIGURES:
        raise BadParameter(f"{name} is the number of one version")
    return int(values[0])


_FIGURES = 9
