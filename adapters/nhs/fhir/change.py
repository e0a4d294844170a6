"""What a hospital system asks of a Task: the change in a PUT or a JSON Patch, and nothing beside it.

Only status, statusReason, businessStatus and output may differ; any other difference is refused by its FHIRPath, never
taken in silence. Everything is coded: no free text goes to police (domain.md section 4.3). Which change may follow
which, and whether the feedback may be told, is the gateway's judgement. FHIR R4 http, sections 3.1.0.4 and 3.1.0.6;
RFC 6902. FHIRPath Patch and XML Patch are not taken.

Feedback is added, never removed: outputs that are there must stay, in a PUT that has outputs at all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from adapters.nhs.fhir.canonical import code_system
from adapters.nhs.fhir.errors import FhirRefused
from adapters.nhs.fhir.feedback import FeedbackIn, read_output
from adapters.nhs.fhir.models import Json
from adapters.nhs.fhir.parse import parse, validated
from adapters.nhs.fhir.patch import patched
from adapters.nhs.fhir.reading import coded
from adapters.nhs.fhir.strict import Limits, strict_json
from mappings.referral import ReferralState, ReferralStatus

LIMITS: Final = Limits(max_bytes=65_536)  # a Task of ours is about 3 KB
CHANGEABLE: Final = frozenset({"status", "statusReason", "businessStatus", "output"})

_WHOLE: Final = frozenset({"application/fhir+json", "application/json"})
_WHOLE_XML: Final = frozenset({"application/fhir+xml", "application/xml"})
_PATCH: Final = "application/json-patch+json"
_SERVERS_OWN: Final = ("versionId", "lastUpdated")


@dataclass(frozen=True, slots=True)
class TaskChange:
    """What is asked: status and state where they differ (None: as they are), new feedback, a reason code."""

    status: ReferralStatus | None
    state: ReferralState | None
    feedback: tuple[FeedbackIn, ...]
    reason: str | None


def task_change(current: Json, submitted: bytes, media_type: str) -> TaskChange:
    """The change from a Task as we emit it (`current`, JSON) to what was sent.

    `application/fhir+json`, `application/fhir+xml`, `application/json` and `application/xml` are a whole Task, in which
    an absent element is unchanged; `application/json-patch+json` is a patch. Raises `FhirRefused` and nothing else.
    """
    kind = media_type.partition(";")[0].strip().lower()
    if kind == _PATCH:
        wanted = patched(current, strict_json(submitted, LIMITS))
        absent_is_removed = True
    elif kind in _WHOLE:
        wanted = strict_json(submitted, LIMITS)
        absent_is_removed = False
    elif kind in _WHOLE_XML:
        wanted = parse(submitted, limits=LIMITS).content
        absent_is_removed = False
    else:
        raise FhirRefused(415, "not-supported", None, "not a media type for changing a Task")
    content = _task(wanted, current)
    _refuse_other_changes(current, content, absent_is_removed=absent_is_removed)
    return TaskChange(
        status=_status(current, content),
        state=_state(current, content),
        feedback=_new_feedback(current, content, absent_is_removed=absent_is_removed),
        reason=_reason(current, content),
    )


def _task(wanted: object, current: Json) -> Json:
    content = validated(wanted, LIMITS).content
    if content["resourceType"] != "Task":
        raise FhirRefused(400, "invalid", "resourceType", "not a Task")
    if content.get("id") != current["id"]:
        raise FhirRefused(400, "invalid", "Task.id", "not the id of this Task")
    return content


def _refuse_other_changes(current: Json, content: Json, *, absent_is_removed: bool) -> None:
    for name in current if absent_is_removed else ():
        if name not in CHANGEABLE and name not in content:
            raise _not_changeable(f"Task.{name}")
    for name, value in content.items():
        if name in CHANGEABLE:
            continue
        was = current.get(name)
        if name == "meta":
            was, value = _clients_part(was), _clients_part(value)  # noqa: PLW2901 - the rest is the server's
        if not _same(was, value):
            raise _not_changeable(_first_difference(f"Task.{name.removeprefix('_')}", was, value))


def _not_changeable(path: str) -> FhirRefused:
    return FhirRefused(
        422, "business-rule", path, "cannot be changed: status, statusReason, businessStatus, output can"
    )


def _clients_part(meta: object) -> object:
    return {k: v for k, v in meta.items() if k not in _SERVERS_OWN} if isinstance(meta, dict) else meta


def _first_difference(path: str, was: object, value: object) -> str:
    if not isinstance(value, list):
        return path
    before: list[Any] = was if isinstance(was, list) else []
    for index, one in enumerate(value):
        if index >= len(before) or not _same(before[index], one):
            return f"{path}[{index}]"
    return f"{path}[{len(value)}]"


def _same(was: object, value: object) -> bool:
    if isinstance(was, bool) or isinstance(value, bool):
        return was is value  # True is 1 in Python, not in JSON
    if isinstance(was, dict) and isinstance(value, dict):
        return was.keys() == value.keys() and all(_same(was[name], value[name]) for name in was)
    if isinstance(was, list) and isinstance(value, list):
        return len(was) == len(value) and all(map(_same, was, value))
    if isinstance(was, str) and isinstance(value, str) and was != value:
        return _time(was) is not None and _time(was) == _time(value)
    return was == value


def _time(value: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


def _status(current: Json, content: Json) -> ReferralStatus | None:
    if content["status"] == current["status"]:
        return None
    try:
        return ReferralStatus(content["status"])
    except ValueError:
        raise FhirRefused(422, "code-invalid", "Task.status", "not a status that a referral has") from None


def _state(current: Json, content: Json) -> ReferralState | None:
    if "businessStatus" not in content:
        return None
    path = "Task.businessStatus"
    code = coded(content["businessStatus"], path, system=code_system("referral-state"))
    if code == current["businessStatus"]["coding"][0]["code"]:
        return None
    try:
        return ReferralState(code)
    except ValueError:
        raise FhirRefused(422, "code-invalid", path, "not a state of a referral") from None


def _reason(current: Json, content: Json) -> str | None:
    given = content.get("statusReason")
    return None if given is None or given == current.get("statusReason") else coded(given, "Task.statusReason")


def _new_feedback(current: Json, content: Json, *, absent_is_removed: bool) -> tuple[FeedbackIn, ...]:
    if "output" not in content and not absent_is_removed:
        return ()
    known = Counter(_read(current))
    new: list[FeedbackIn] = []
    for one in _read(content):
        if known[one]:
            known[one] -= 1
        else:
            new.append(one)
    if known.total():
        raise FhirRefused(422, "business-rule", "Task.output", "feedback that has been given is not removed or changed")
    return tuple(new)


def _read(task: Json) -> list[FeedbackIn]:
    return [read_output(one, f"Task.output[{index}]") for index, one in enumerate(task.get("output", ()))]
