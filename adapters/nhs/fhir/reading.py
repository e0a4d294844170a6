"""Reading coded elements of what was sent: a code is taken, free text is refused, nothing is echoed."""

from __future__ import annotations

import re
from typing import Any, Final

from adapters.nhs.fhir.errors import FhirRefused

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")  # mappings.record.Code


def code(value: object, path: str) -> str:
    """A code without spaces or narrative (`mappings.record.Code`); raises `FhirRefused`."""
    if not isinstance(value, str) or _CODE.fullmatch(value) is None:
        raise FhirRefused(422, "code-invalid", path, "not a code of at most 64 characters without spaces")
    return value


def coded(concept: Any, path: str, system: str | None = None) -> str:  # noqa: ANN401 - what was sent
    """The code of a CodeableConcept that has one coding, of `system` if that is given, and no text."""
    codings = concept.get("coding") if isinstance(concept, dict) else None
    if not isinstance(codings, list) or len(codings) != 1 or not isinstance(codings[0], dict):
        raise FhirRefused(422, "required", path, "exactly one coding is needed")
    if "text" in concept:
        raise FhirRefused(422, "business-rule", f"{path}.text", "free text is not taken")
    if system is not None and codings[0].get("system") != system:
        raise FhirRefused(422, "code-invalid", f"{path}.coding[0].system", "not the code system of this element")
    return code(codings[0].get("code"), f"{path}.coding[0].code")
