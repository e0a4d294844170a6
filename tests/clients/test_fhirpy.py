"""fhirpy (PyPI), a client that checks nothing and follows everything: what it asks, it is given."""

from __future__ import annotations

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, ResourceNotFound

from tests.clients.conftest import Stage


@pytest.fixture
def client(stage: Stage) -> SyncFHIRClient:
    return SyncFHIRClient(stage.base_url, authorization=f"Bearer {stage.token()}")


def test_metadata(client: SyncFHIRClient) -> None:
    said = client.execute("metadata", method="get")
    assert (said["fhirVersion"], said["rest"][0]["mode"]) == ("4.0.1", "server")


def test_search_with_paging(client: SyncFHIRClient, stage: Stage) -> None:
    """Two on a page: the client follows the links to the end by itself."""
    found = client.resources("Task").limit(2).fetch_all()
    assert {one["id"] for one in found} == set(stage.tasks)
    lenient = SyncFHIRClient(
        stage.base_url, authorization=client.authorization, extra_headers={"Prefer": "handling=lenient"}
    )
    assert lenient.resources("Task").count() == len(stage.tasks)  # it sends a parameter that is none of R4's
    newest = client.resources("Task").sort("-authored-on").limit(1).fetch()
    assert [one["id"] for one in newest] == [stage.tasks[-1]]


def test_read(client: SyncFHIRClient, stage: Stage) -> None:
    task = client.reference("Task", stage.tasks[0]).to_resource()
    patient = client.get("Patient", task["for"]["reference"].partition("/")[2])
    assert patient["name"][0]["family"]
    with pytest.raises(ResourceNotFound):
        client.get("Patient", "none")


def test_include(client: SyncFHIRClient, stage: Stage) -> None:
    bundle = client.resources("Task").search(_id=stage.tasks[0]).include("Task", "patient").fetch_raw()
    assert [(e["search"]["mode"], e["resource"]["resourceType"]) for e in bundle["entry"]] == [
        ("match", "Task"),
        ("include", "Patient"),
    ]


def test_update_of_a_task(stage: Stage) -> None:
    """A change names the version that was read; the same change again is told to read again."""
    plain = SyncFHIRClient(stage.base_url, authorization=f"Bearer {stage.token()}")
    task = plain.reference("Task", stage.tasks[0]).to_resource()
    tag = f'W/"{task["meta"]["versionId"]}"'
    client = SyncFHIRClient(stage.base_url, authorization=plain.authorization, extra_headers={"If-Match": tag})
    changed = client.resource("Task", **{**task, "status": "accepted"})
    changed.save()
    assert plain.reference("Task", stage.tasks[0]).to_resource()["status"] == "accepted"
    again = client.resource("Task", **{**task, "status": "in-progress"})
    with pytest.raises(MultipleResourcesFound, match="conflict"):  # its word for 412
        again.save()
