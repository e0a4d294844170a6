"""What somebody who means harm writes, and how it is seen whether a page ran any of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from lxml import html

from gateway.demo.incidents import incident

MARK = "x-pwned"
PAYLOAD = (
    f"</textarea></title></script>\"'><{MARK} onmouseover=alert(1)><img src=x onerror=alert(2)>"
    "<script>alert(3)</script>{{7*7}}{% raw %}<a href='javascript:alert(4)'>"
)
"""Out of an attribute, a text area, a title and a script; a template's language; a handler and an address that run."""

_KEPT = frozenset({"surname", "givenName", "addressLine1", "school", "codeWord", "safeTimes", "incidentDescription"})
"""The texts of an incident that are taken as they come: names, places, what was said."""


def hostile_incident(serial: int) -> dict[str, Any]:
    """An incident in which every free text holds the payload."""
    document = copy.deepcopy(incident(serial, description=f"Victim states {PAYLOAD}"))
    for entity in (document["data"], *document["included"]):
        attributes = entity["attributes"]
        for name in _KEPT & attributes.keys():
            attributes[name] = [PAYLOAD] if isinstance(attributes[name], list) else PAYLOAD
    return document


def ran(page: str) -> list[str]:
    """Whatever in a page came out of a text as something that acts; nothing where all of it stayed text."""
    return list(_acting(html.document_fromstring(page)))  # type: ignore[no-untyped-call]  # lxml has no types


def _acting(tree: Any) -> Iterator[str]:
    for one in tree.iter():
        if not isinstance(one.tag, str):
            continue
        if one.tag == MARK or (one.tag == "script" and (one.text or "").strip()) or one.tag == "style":
            yield f"<{one.tag}>"
        for name, value in one.attrib.items():
            address = value.strip().lower()
            if name.startswith("on") or name == "style" or address.startswith(("javascript:", "data:text")):
                yield f"{one.tag} {name}"
    if "49" in tree.text_content() and "{{7*7}}" not in tree.text_content() and MARK in tree.text_content():
        yield "a template inside a text"
