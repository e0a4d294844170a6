"""Incidents with more in them: entities and links added to the demonstration's document, and what an adviser reads."""

from __future__ import annotations

import json
from typing import Any

from tests.support.world import World

Json = dict[str, Any]


def entity(document: Json, type_: str, name: str, attributes: Json, **links: Json) -> Json:
    """Add an entity to a document; returns the link to it."""
    made: Json = {"id": f"{type_}-{name}", "type": type_, "attributes": attributes}
    if links:
        made["relationships"] = {role: {"data": [link]} for role, link in links.items()}
    document["included"].append(made)
    return {"id": made["id"], "type": type_}


def attach(document: Json, type_: str, name: str, attributes: Json, **links: Json) -> Json:
    """Add an entity and link the incident to it under its type."""
    link = entity(document, type_, name, attributes, **links)
    held = document["data"]["relationships"].setdefault(type_, {"data": []})["data"]
    held.append(link)
    return link


def linked(document: Json, role: str) -> Json:
    """The first person in a role, as a link."""
    found: Json = document["data"]["relationships"][role]["data"][0]
    return found


def of_type(document: Json, type_: str) -> Json:
    """The attributes of the first entity of a type."""
    found: Json = next(one["attributes"] for one in document["included"] if one["type"] == type_)
    return found


def person(document: Json, surname: str) -> Json:
    """The attributes of a person."""
    people = (one["attributes"] for one in document["included"] if one["type"] == "person")
    found: Json = next(one for one in people if one.get("surname") == surname)
    return found


def request_of(world: World, task: str) -> Json:
    """The ServiceRequest of a referral, as the adviser reads it."""
    return read(world, "ServiceRequest", task)


def read(world: World, type_: str, id_: str) -> Json:
    """One resource, as the adviser reads it."""
    answer = world.hospital.get(f"/fhir/R4/{type_}/{id_}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def everything(world: World, task: str) -> str:
    """All an adviser can read of a referral, as one text."""
    victim = read(world, "Task", task)["for"]["reference"].partition("/")[2]
    read(world, "Patient", victim)
    answer = world.hospital.get(
        "/fhir/R4/Task",
        params=[("_id", task), ("_include", "Task:focus"), ("_include", "Task:patient")],
    )
    assert answer.status_code == 200, answer.text
    found = [answer.json()]
    for type_ in ("QuestionnaireResponse", "RiskAssessment", "Consent", "Flag"):
        page = world.hospital.get(f"/fhir/R4/{type_}", params={"patient": f"Patient/{victim}"})
        assert page.status_code == 200, page.text
        found.append(page.json())
    return json.dumps(found)


def extensions(resource: Json, name: str) -> list[Json]:
    """The values of extensions of ours: of a complex one, its parts by name (the last of each), else its value."""
    found = []
    for one in resource.get("extension", ()):
        if one["url"].endswith(f"/{name}"):
            parts = one.get("extension")
            found.append({p["url"]: value(p) for p in parts} if parts else {"": value(one)})
    return found


def value(one: Json) -> Any:
    """The one value of an extension, or its parts."""
    inner = one.get("extension")
    if inner is not None:
        return {p["url"]: value(p) for p in inner}
    return next(found for name, found in one.items() if name != "url")
