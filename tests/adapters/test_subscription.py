"""A Subscription is read strictly, and matches a referral by its routing alone."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.nhs.fhir import SEARCH, FhirRefused
from adapters.nhs.fhir.elements import instant
from adapters.nhs.fhir.models import model
from adapters.nhs.fhir.subscription import (
    CRITERIA,
    Payload,
    Status,
    Subscribed,
    criteria_of,
    read_subscription,
    write_notification,
    write_subscription,
)
from mappings.referral import ReferralState, ReferralStatus
from tests.adapters.fhir_support import REFERRAL_ID, referral
from tests.support.records import NOW

CONTENT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content"
ID_ONLY = {
    "payload": "application/fhir+json",
    "_payload": {"extension": [{"url": CONTENT, "valueCode": "id-only"}]},
}


def asked(channel: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    given = {"type": "rest-hook", "endpoint": "https://trust.example/hook", **(channel or {})}
    base = {"resourceType": "Subscription", "status": "requested", "reason": "work", "criteria": "Task"}
    return {**base, "channel": {k: v for k, v in given.items() if v is not None}, **changed}


def test_what_is_asked_for_is_read_and_reads_back() -> None:
    found = read_subscription(orjson.dumps(asked(ID_ONLY, criteria="Task?status=requested,received&priority=asap")))
    assert found.payload is Payload.ID_ONLY
    for status in Status:
        written = orjson.loads(write_subscription("s-1", found, status, NOW))
        model("Subscription").model_validate(written)
        assert written["status"] == status.value
        again = {k: v for k, v in written.items() if k not in {"id", "meta", "error"}} | {"status": "requested"}
        assert read_subscription(orjson.dumps(again)) == found


def test_without_a_payload_a_notification_is_empty() -> None:
    assert read_subscription(orjson.dumps(asked())).payload is Payload.EMPTY
    assert write_notification("s-1", Payload.EMPTY, referral(), NOW) == b""


def test_an_id_only_notification_names_the_task_and_nothing_else() -> None:
    found = orjson.loads(write_notification("s-1", Payload.ID_ONLY, referral(), NOW))
    model("Parameters").model_validate(found)
    values = [next(v for k, v in one.items() if k != "name") for one in found["parameter"]]
    assert values == [
        {"reference": "Subscription/s-1"},
        "event-notification",
        instant(NOW),
        {"reference": f"Task/{REFERRAL_ID}"},
    ]


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"status": "active"}, "Subscription.status"),
        ({"end": "2027-01-01T00:00:00Z"}, "Subscription.end"),
        ({"contact": [{"system": "phone", "value": "01632 960001"}]}, "Subscription.contact"),
        ({"criteria": "Patient?name=x"}, "Subscription.criteria"),
        ({"criteria": "Task?patient=1"}, "Subscription.criteria"),
        ({"criteria": "Task?status=nonsense"}, "Subscription.criteria"),
        ({"criteria": "Task?status=requested&status=received"}, "Subscription.criteria"),
        ({"criteria": "Task?status"}, "Subscription.criteria"),
        ({"criteria": "Task?status=urn:other|requested"}, "Subscription.criteria"),
        ({"criteria": "Task?priority:not=asap"}, "Subscription.criteria"),
        ({"criteria": "Task?status=" + "requested," * 80}, "Subscription.criteria"),
        ({"resourceType": "Patient"}, None),
    ],
)
def test_what_would_have_no_effect_is_refused_by_its_path(changed: dict[str, Any], path: str | None) -> None:
    with pytest.raises(FhirRefused) as refused:
        read_subscription(orjson.dumps(asked(**changed)))
    assert path is None or refused.value.expression == path


@pytest.mark.parametrize(
    ("channel", "path"),
    [
        ({"type": "email"}, "Subscription.channel.type"),
        ({"endpoint": None}, "Subscription.channel.endpoint"),
        ({"header": ["Authorization: Bearer x"]}, "Subscription.channel.header"),
        ({"payload": "application/fhir+json"}, "Subscription.channel.payload"),
        ({**ID_ONLY, "payload": "text/plain"}, "Subscription.channel.payload"),
        (
            {**ID_ONLY, "_payload": {"extension": [{"url": CONTENT, "valueCode": "full-resource"}]}},
            "Subscription.channel.payload",
        ),
        ({"_payload": {"extension": [{"url": "urn:other", "valueCode": "empty"}]}}, "Subscription.channel.payload"),
    ],
)
def test_a_channel_that_is_not_served_is_refused_by_its_path(channel: dict[str, Any], path: str) -> None:
    with pytest.raises(FhirRefused) as refused:
        read_subscription(orjson.dumps(asked(channel)))
    assert refused.value.expression == path


@pytest.mark.parametrize(
    ("criteria", "met"),
    [
        ("Task", True),
        ("Task?status=accepted", True),
        ("Task?status=requested,accepted&priority=urgent", True),
        ("Task?status=http://hl7.org/fhir/task-status|accepted", True),
        ("Task?business-status=contacting", True),
        ("Task?status=requested", False),
        ("Task?status=accepted&priority=asap", False),
        ("ServiceRequest?status=active", True),
        ("ServiceRequest?status=revoked", False),
    ],
)
def test_criteria_are_met_by_the_routing_of_a_referral(criteria: str, *, met: bool) -> None:
    one = referral(status=ReferralStatus.ACCEPTED, state=ReferralState.CONTACTING)
    assert criteria_of(criteria).met(one) is met


def test_criteria_name_only_parameters_that_are_served() -> None:
    for type_, names in CRITERIA.items():
        assert set(names) <= set(SEARCH[type_])


def test_a_subscription_is_written_valid_and_labelled_by_its_payload() -> None:
    empty = Subscribed("Task", "https://trust.example/hook", Payload.EMPTY)
    assert "payload" not in orjson.loads(write_subscription("s-1", empty, Status.ACTIVE, NOW))["channel"]
