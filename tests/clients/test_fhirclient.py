"""SMART's fhirclient (PyPI), which reads every answer into strict models of its own and signs in by itself."""

from __future__ import annotations

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.fhirsearch import FHIRSearch
from fhirclient.models.patient import Patient
from fhirclient.models.servicerequest import ServiceRequest
from fhirclient.models.task import Task
from fhirclient.server import FHIRNotFoundException

from adapters.nhs.fhir import TYPES
from tests.clients.conftest import Stage


@pytest.fixture
def client(stage: Stage) -> FHIRClient:
    """Signed in as a backend system: the token endpoint is found in the CapabilityStatement."""
    made = FHIRClient(
        settings={
            "app_id": "demo-hospital",
            "api_base": stage.base_url,
            "scope": "health:referral.read health:referral.write",
            "jwt_token": stage.assertion(),
        }
    )
    made.wants_patient = False  # nobody picks a patient: a system asks
    assert not made.ready
    made.prepare()
    made.authorize()
    assert made.ready
    return made


def test_metadata(client: FHIRClient) -> None:
    said = client.server.capabilityStatement
    assert said.fhirVersion == "4.0.1"
    served = {one.type: {i.code for i in one.interaction} for one in said.rest[0].resource}
    assert set(TYPES) <= served.keys()
    assert {"read", "search-type", "update", "patch"} <= served["Task"]


def test_search_with_paging(client: FHIRClient, stage: Stage) -> None:
    found = list(Task.where({"_count": "2"}).perform_resources_iter(client.server))
    assert {one.id for one in found if isinstance(one, Task)} == set(stage.tasks)


@pytest.mark.parametrize("type_", TYPES)
def test_every_type_is_read_by_its_models(client: FHIRClient, type_: str) -> None:
    """Nothing we write is unknown to the client, and nothing that it needs is missing."""
    bundle = Bundle.read_from(f"{type_}?_count=50", client.server)
    assert bundle.type == "searchset"
    assert {one.resource.resource_type for one in bundle.entry or ()} <= {type_}


def test_read(client: FHIRClient, stage: Stage) -> None:
    request = ServiceRequest.read(stage.tasks[1], client.server)
    patient = Patient.read(request.subject.reference.partition("/")[2], client.server)
    assert patient.name[0].family
    with pytest.raises(FHIRNotFoundException):
        Patient.read("none", client.server)


def test_include(client: FHIRClient, stage: Stage) -> None:
    search: FHIRSearch = Task.where({"_id": stage.tasks[1]}).include("focus")
    (bundle,) = search.perform_iter(client.server)
    assert [one.resource.resource_type for one in bundle.entry] == ["Task", "ServiceRequest"]


def test_update_of_a_task(client: FHIRClient, stage: Stage) -> None:
    task = Task.read(stage.tasks[1], client.server)
    task.status = "accepted"
    client.server.session.headers["If-Match"] = f'W/"{task.meta.versionId}"'
    saved = task.update(client.server)
    assert (saved["status"], saved["id"]) == ("accepted", stage.tasks[1])
