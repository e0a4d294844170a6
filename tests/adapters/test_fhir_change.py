"""What a hospital system may change of a Task, and how everything else is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.nhs import fhir
from adapters.nhs.fhir.change import CHANGEABLE
from mappings.record import ConsentState, Feedback, FeedbackCode
from mappings.referral import ReferralState, ReferralStatus
from tests.adapters.fhir_support import full_record, referral, written
from tests.support.records import NOW

LATER = datetime(2027, 4, 12, 21, tzinfo=UTC)

FHIR = "application/fhir+json"
PATCH = "application/json-patch+json"
CURRENT = written("Task")[0]
GRADE = next(at for at, one in enumerate(CURRENT["input"]) if one["type"]["coding"][0]["code"] == "risk-grade")
STATE = f"{fhir.CANONICAL}/CodeSystem/referral-state"


def put(change: Callable[[dict[str, Any]], object], media_type: str = FHIR) -> fhir.TaskChange:
    task = copy.deepcopy(CURRENT)
    change(task)
    return fhir.task_change(CURRENT, json.dumps(task).encode(), media_type)


def patch(*operations: dict[str, Any], current: dict[str, Any] | None = None) -> fhir.TaskChange:
    return fhir.task_change(current or CURRENT, json.dumps(operations).encode(), PATCH)


def output(code: str, at: str | None = "2026-04-13T10:00:00Z", **details: object) -> dict[str, Any]:
    extensions = [
        {"url": f"{fhir.CANONICAL}/StructureDefinition/{name.replace('_', '-')}", _kind(value): value}
        for name, value in details.items()
    ]
    found: dict[str, Any] = {"type": {"coding": [{"system": f"{fhir.CANONICAL}/CodeSystem/feedback", "code": code}]}}
    found |= {"valueBoolean": True} if at is None else {"valueDateTime": at}
    return found | ({"extension": extensions} if extensions else {})


def _kind(value: object) -> str:
    return "valueInteger" if isinstance(value, int) else "valueCode"


def refusal(call: Callable[[], object]) -> fhir.FhirRefused:
    with pytest.raises(fhir.FhirRefused) as refused:
        call()
    return refused.value


def test_a_task_sent_back_as_it_was_changes_nothing() -> None:
    assert put(lambda _: None) == fhir.TaskChange(None, None, (), None)


def test_status_state_reason_and_feedback_are_read() -> None:
    def change(task: dict[str, Any]) -> None:
        task["status"] = "in-progress"
        task["businessStatus"]["coding"][0]["code"] = "engaged"
        task["statusReason"] = {"coding": [{"system": "urn:local", "code": "seen-on-ward"}]}
        task["output"].append(output("closed", feedback_value="planned", consent_state="given"))
        task["output"].append(output("contact-attempted", at=None, feedback_count=3))

    assert put(change) == fhir.TaskChange(
        status=ReferralStatus.IN_PROGRESS,
        state=ReferralState.ENGAGED,
        feedback=(
            fhir.FeedbackIn(
                FeedbackCode.CLOSED, "planned", None, datetime(2026, 4, 13, 10, tzinfo=UTC), ConsentState.GIVEN
            ),
            fhir.FeedbackIn(FeedbackCode.CONTACT_ATTEMPTED, None, 3, None, None),
        ),
        reason="seen-on-ward",
    )


def test_elements_left_out_of_a_put_are_unchanged() -> None:
    small = {"resourceType": "Task", "id": CURRENT["id"], "status": "received", "intent": "order"}
    found = fhir.task_change(CURRENT, json.dumps(small).encode(), "application/json; charset=utf-8")
    assert found == fhir.TaskChange(ReferralStatus.RECEIVED, None, (), None)


def test_times_written_otherwise_and_a_servers_own_meta_are_no_change() -> None:
    def change(task: dict[str, Any]) -> None:
        task["authoredOn"] = task["authoredOn"].replace("Z", ".000+00:00")
        task["output"][0]["valueDateTime"] = "2026-04-12T22:30:00+01:00"
        task["meta"]["versionId"] = "999"
        del task["meta"]["lastUpdated"]

    assert put(change) == fhir.TaskChange(None, None, (), None)


def test_a_patch_reads_as_the_put_it_amounts_to() -> None:
    found = patch(
        {"op": "test", "path": "/status", "value": "accepted"},
        {"op": "replace", "path": "/status", "value": "completed"},
        {"op": "replace", "path": "/businessStatus/coding/0/code", "value": "closed"},
        {"op": "add", "path": "/output/-", "value": output("closed", feedback_value="unplanned")},
    )
    assert (found.status, found.state) == (ReferralStatus.COMPLETED, ReferralState.CLOSED)
    assert [one.value for one in found.feedback] == ["unplanned"]


def test_the_first_feedback_can_be_added_by_patch_and_the_current_task_stays_as_it_was() -> None:
    bare = written("Task", offered=referral(feedback=()))[0]
    before = copy.deepcopy(bare)
    found = patch({"op": "add", "path": "/output", "value": [output("received")]}, current=bare)
    assert [one.code for one in found.feedback] == [FeedbackCode.RECEIVED]
    assert bare == before


@pytest.mark.parametrize("code", FeedbackCode)
def test_whatever_we_write_as_output_reads_back_as_it_was(code: FeedbackCode) -> None:
    values = fhir.VALUES.get(code, frozenset())
    value = "a-window" if values is None else min(values, default=None)
    feedback = Feedback(
        code=code, at=NOW, value=value, count=4, author_role="idva", consent_ref="consent-7", expiry=LATER
    )
    task = written("Task", full_record(), referral(feedback=(feedback,)))[0]
    old = {**task, "output": []}
    del old["output"]
    (found,) = fhir.task_change(old, json.dumps(task).encode(), FHIR).feedback
    assert found == fhir.FeedbackIn(code, value, 4, NOW, None, "consent-7", LATER)


@pytest.mark.parametrize("name", sorted(CURRENT.keys() - CHANGEABLE - {"resourceType", "id", "meta"}))
def test_no_other_element_can_be_changed_by_patch(name: str) -> None:
    """Removing counts as changing. What R4 demands is refused as missing, the rest as not changeable."""
    refused = refusal(lambda: patch({"op": "remove", "path": f"/{name}"}))
    assert refused.status == 422
    assert (refused.expression or "").startswith("Task")


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("Task.input[0]", lambda t: t["input"][0].update(valueCode="medium")),
        (f"Task.input[{GRADE}]", lambda t: t["input"][GRADE].update(valueCode="standard")),
        (f"Task.input[{len(CURRENT['input'])}]", lambda t: t["input"].append(t["input"][0])),
        ("Task.owner", lambda t: t["owner"].update(display="another team")),
        ("Task.priority", lambda t: t.update(priority="routine")),
        ("Task.for", lambda t: t["for"].update(reference="Patient/x")),
        ("Task.note[0]", lambda t: t.update(note=[{"text": "she said"}])),
        ("Task.text", lambda t: t.update(text={"status": "generated", "div": "<div>x</div>"})),
        ("Task.description", lambda t: t.update(description="she said")),
        ("Task.extension[0]", lambda t: t.update(extension=[{"url": "urn:x", "valueString": "she said"}])),
        ("Task.contained[0]", lambda t: t.update(contained=[{"resourceType": "Basic", "id": "x", "code": {}}])),
        ("Task.meta", lambda t: t["meta"]["security"].pop()),
        ("Task.status", lambda t: t.update(_status={"extension": [{"url": "urn:x", "valueString": "she said"}]})),
        ("Task.restriction", lambda t: t["restriction"]["period"].update(end="2027-01-01T00:00:00Z")),
    ],
)
def test_any_other_difference_is_refused_by_its_path(path: str, change: Callable[[dict[str, Any]], object]) -> None:
    refused = refusal(lambda: put(change))
    assert (refused.status, refused.expression) == (422, path)
    assert "she said" not in str(refused)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("Task.status", lambda t: t.update(status="on-hold")),
        ("Task.businessStatus", lambda t: t["businessStatus"]["coding"][0].update(code="cured")),
        ("Task.businessStatus.coding[0].system", lambda t: t["businessStatus"]["coding"][0].update(system="urn:x")),
        ("Task.businessStatus.text", lambda t: t["businessStatus"].update(text="she said")),
        ("Task.statusReason", lambda t: t.update(statusReason={"text": "she said"})),
        (
            "Task.statusReason.coding[0].code",
            lambda t: t.update(statusReason={"coding": [{"code": "she said no"}]}),
        ),
        ("Task.output[2].type.coding[0].code", lambda t: t["output"].append(output("cured"))),
        ("Task.output[2].extension", lambda t: t["output"].append(output("engaged", feedback_value="she-said"))),
        ("Task.output[2].extension", lambda t: t["output"].append(output("closed", feedback_value="she-said"))),
        (
            "Task.output[2].extension[0].valueInteger",
            lambda t: t["output"].append(output("contact-attempted", feedback_count=-1)),
        ),
        (
            "Task.output[2].extension[0].valueCode",
            lambda t: t["output"].append(output("engaged", consent_state="yes")),
        ),
        (
            "Task.output[2].extension[0].valueCode",
            lambda t: t["output"].append(output("engaged", feedback_consent_ref="she-said-999-000-0018")),
        ),
        (
            "Task.output[2].extension[0].valueCode",
            lambda t: t["output"].append(output("engaged", feedback_consent_ref="nhs9990000018")),
        ),
        (
            "Task.output[2].extension[0].valueCode",
            lambda t: t["output"].append(output("engaged", feedback_consent_ref="She.Said")),
        ),
        ("Task.output[2].extension[0]", lambda t: t["output"].append(output("engaged", feedback_expiry="x"))),
        (
            "Task.output[2].valueDateTime",
            lambda t: t["output"].append(output("engaged", at="0001-01-01T00:00:00+14:00")),
        ),
        ("Task.output[2].extension[0]", lambda t: t["output"].append(output("engaged", other="x"))),
        ("Task.output[2].valueDateTime", lambda t: t["output"].append(output("engaged", at="2026-04-13"))),
        (
            "Task.output[2].value",
            lambda t: t["output"].append({"type": output("engaged")["type"], "valueString": "she said"}),
        ),
        ("Task.output", lambda t: t["output"].pop()),
        ("Task.output", lambda t: t["output"][0].update(valueDateTime="2026-01-01T00:00:00Z")),
    ],
)
def test_what_is_not_coded_as_agreed_is_refused_by_its_path(
    path: str, change: Callable[[dict[str, Any]], object]
) -> None:
    refused = refusal(lambda: put(change))
    assert (refused.status, refused.expression) == (422, path)
    assert "she" not in str(refused)


def test_true_is_not_one() -> None:
    """Python holds True equal to 1; JSON does not, and a count must not turn into a yes."""
    current = copy.deepcopy(CURRENT)
    current["input"][GRADE]["extension"][0]["extension"][3] = {"url": "yes", "valueInteger": 1}
    sent = copy.deepcopy(current)
    sent["input"][GRADE]["extension"][0]["extension"][3] = {"url": "yes", "valueInteger": True}
    refused = refusal(lambda: fhir.task_change(current, json.dumps(sent).encode(), FHIR))
    assert (refused.expression or "").startswith(f"Task.input[{GRADE}]")


@pytest.mark.parametrize(
    ("status", "issue", "body"),
    [
        (400, "invalid", b"{"),
        (400, "invalid", b""),
        (400, "invalid", b'{"resourceType": NaN}'),
        (400, "invalid", b'{"resourceType": "Task", "status": "\\ud800"}'),
        (400, "invalid", b'{"resourceType": "Task", "status": "\xff"}'),
        (400, "structure", b'{"resourceType": "Task", "resourceType": "Task"}'),
        (400, "structure", b'{"resourceType": "Task", "output": null}'),
        (400, "structure", b"[]"),
        (422, "structure", b'{"resourceType": "NopeType"}'),
        (422, "structure", b'{"resourceType": ["Task"]}'),
        (422, "structure", b'{"resourceType": "Task"}'),
        (422, "structure", b'{"resourceType": "Task", "she said": 1, "status": "x", "intent": "order"}'),
        (400, "invalid", b'{"resourceType": "Basic", "code": {"text": "x"}}'),
        (400, "invalid", b'{"resourceType": "Task", "id": "x", "status": "accepted", "intent": "order"}'),
        (400, "too-costly", b"[" * 60_000),
        (400, "too-costly", b'{"a":' * 30 + b"1" + b"}" * 30),
        (413, "too-long", b" " * 70_000),
    ],
)
def test_bad_input_is_refused_and_never_breaks(status: int, issue: str, body: bytes) -> None:
    refused = refusal(lambda: fhir.task_change(CURRENT, body, FHIR))
    assert (refused.status, refused.issue_code) == (status, issue)
    assert "she said" not in str(refused)
    json.loads(fhir.operation_outcome([fhir.Issue.of(refused)]))


@pytest.mark.parametrize("media_type", ["", "text/plain", "text/xml", "application/merge-patch+json"])
def test_another_media_type_is_refused(media_type: str) -> None:
    assert refusal(lambda: put(lambda _: None, media_type)).status == 415


@pytest.mark.parametrize(
    ("status", "operations"),
    [
        (400, []),
        (400, {}),
        (400, [{"op": "test", "path": "/status", "value": 1}] * 65),
        (422, [1]),
        (422, [{"op": "copy", "from": "/status", "path": "/status"}]),
        (422, [{"op": "move", "from": "/status", "path": "/status"}]),
        (422, [{"op": ["add"], "path": "/status", "value": 1}]),
        (400, [{"op": "add", "path": 1, "value": 1}]),
        (400, [{"op": "replace", "path": "/status"}]),
        (409, [{"op": "test", "path": "/status", "value": "requested"}]),
        (422, [{"op": "replace", "path": "/nope/nope", "value": 1}]),
        (422, [{"op": "remove", "path": "/output/77"}]),
        (422, [{"op": "add", "path": "/output/x", "value": 1}]),
        (422, [{"op": "add", "path": "status", "value": 1}]),
        (422, [{"op": "add", "path": "/status/x", "value": 1}]),
        (400, [{"op": "add", "path": "", "value": 1}]),
        (422, [{"op": "remove", "path": "/output"}]),
    ],
)
def test_a_bad_patch_is_refused_and_never_breaks(status: int, operations: object) -> None:
    refused = refusal(lambda: fhir.task_change(CURRENT, json.dumps(operations).encode(), PATCH))
    assert refused.status == status


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*CURRENT, "x"]), inner, max_size=4),
    max_leaves=8,
)
_PATHS = st.lists(st.sampled_from([*CURRENT, "coding", "0", "-", "code", "~0", "~", "01"]), max_size=4)


@given(
    operations=st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "replace", "remove", "test"]),
                "path": _PATHS.map(lambda steps: "".join(f"/{step}" for step in steps)),
                "value": _JSON,
            }
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(deadline=None, max_examples=150)
def test_no_patch_at_all_breaks_the_reader_or_changes_more_than_it_may(operations: list[dict[str, Any]]) -> None:
    before = json.dumps(CURRENT)
    try:
        fhir.task_change(CURRENT, json.dumps(operations).encode(), PATCH)
    except fhir.FhirRefused as refused:
        assert 400 <= refused.status < 500  # noqa: PT017 - either outcome is right
    assert json.dumps(CURRENT) == before


@given(name=st.sampled_from([*CURRENT, "note", "x"]), value=_JSON)
@settings(deadline=None, max_examples=150)
def test_no_value_at_all_breaks_the_reader(name: str, value: object) -> None:
    sent = {**CURRENT, name: value}
    try:
        fhir.task_change(CURRENT, json.dumps(sent).encode(), FHIR)
    except fhir.FhirRefused as refused:
        assert 400 <= refused.status < 500  # noqa: PT017 - either outcome is right
