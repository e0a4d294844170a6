"""JSON Patch on a Task (RFC 6902): add, replace, remove and test; bounded, and never in place.

`copy` and `move` are refused: nothing that may change needs them, and repeated copies grow without bound.
"""

from __future__ import annotations

from typing import Any, Final

from adapters.nhs.fhir.errors import FhirRefused
from adapters.nhs.fhir.models import Json

_MAX_OPERATIONS: Final = 64  # a Task has four elements that can change
_OPERATIONS: Final = {"add": True, "replace": True, "test": True, "remove": False}  # whether it needs a value


def patched(current: Json, operations: object) -> Any:  # noqa: ANN401 - a patch can make anything
    """A copy of `current` with the operations applied; raises `FhirRefused`, 409 where a test fails."""
    if not isinstance(operations, list) or not 0 < len(operations) <= _MAX_OPERATIONS:
        raise FhirRefused(400, "structure", None, f"a patch is a list of 1 to {_MAX_OPERATIONS} operations")
    for index, operation in enumerate(operations):
        _require_operation(operation, f"[{index}]")
    import jsonpatch  # noqa: PLC0415 - loaded when the first patch arrives
    import jsonpointer  # noqa: PLC0415 - as above

    try:
        return jsonpatch.JsonPatch(operations).apply(current)
    except jsonpatch.JsonPatchTestFailed:
        raise FhirRefused(409, "conflict", None, "a test of the patch fails") from None
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, LookupError, TypeError, ValueError):
        raise FhirRefused(422, "processing", None, "the patch does not apply") from None


def _require_operation(operation: object, path: str) -> None:
    name = operation.get("op") if isinstance(operation, dict) else None
    if not isinstance(operation, dict) or not isinstance(name, str) or name not in _OPERATIONS:
        raise FhirRefused(422, "not-supported", path, "not an add, replace, remove or test")
    if not isinstance(operation.get("path"), str) or (_OPERATIONS[name] and "value" not in operation):
        raise FhirRefused(400, "structure", path, "a path, and a value where one is needed")
