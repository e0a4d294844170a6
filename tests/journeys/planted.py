"""A document with a value of its own in every leaf that police can fill, so that a leak shows where it came from."""

from __future__ import annotations

from typing import Any

from gateway.demo.incidents import incident

MARK = "Zaqxu"
"""What every planted text begins with; nothing else in the world does."""


def planted(serial: int, **options: Any) -> dict[str, Any]:
    """An incident in which every text that the `ihub` profile reads, and some it does not, is planted."""
    document = incident(serial, description=f"{MARK}victimSurname was pushed down the stairs.", **options)
    attributes = document["data"]["attributes"]
    attributes |= {
        "incidentReportedAlreadyReference": f"{MARK}-ALREADY-{serial}",
        "policeOutcome": f"{MARK}outcome",
        "officerSafetyWarnings": ["violent"],
        "intelligenceText": f"{MARK}intelligence about a drugs line",
        "operationalPlan": f"{MARK}covert arrest at dawn",
        "handlingConditions": f"{MARK}conditions of handling",
        "unknownToTheProfile": f"{MARK}unmapped text",
        f"{MARK}UnknownName": {"deep": [{f"{MARK}Deeper": f"{MARK}deep text"}]},
    }
    people = {one["id"]: one for one in document["included"] if one["type"] == "person"}
    for role in ("victim", "suspect", "child", "personReporting"):
        id_ = document["data"]["relationships"][role]["data"][0]["id"]
        people[id_]["attributes"] |= _of_person(role, serial)
    links = document["data"]["relationships"]
    victim = people[links["victim"]["data"][0]["id"]]
    suspect = people[links["suspect"]["data"][0]["id"]]
    added = [
        _location("safe", "Refuge"),
        _location("work", "Workplace"),
        _location("other", "Otherplace"),
        {"id": "mail", "type": "email", "attributes": {"emailAddress": f"{MARK}victim@mail.example"}},
        {"id": "sphone", "type": "telephone", "attributes": {"telephoneNumber": "07700 900987"}},
        {
            "id": "bail",
            "type": "order",
            "attributes": {"orderType": "bail", "conditions": f"{MARK}bail conditions", "expires": "2026-05-10"},
            "relationships": {"suspect": {"data": [{"id": suspect["id"], "type": "person"}]}},
        },
        {
            "id": "bystander",
            "type": "person",
            "attributes": {"surname": f"{MARK}Bystander", "givenName": [f"{MARK}Bo"]},
        },
    ]
    victim["relationships"]["safeAddress"] = _link("location", "safe")
    victim["relationships"]["personalEmail"] = _link("email", "mail")
    suspect["relationships"]["workAddress"] = _link("location", "work")
    suspect["relationships"]["otherAddress"] = _link("location", "other")
    suspect["relationships"]["personalTelephone"] = _link("telephone", "sphone")
    links["order"] = _link("order", "bail")
    links["witness"] = _link("person", "bystander")
    for one in document["included"]:
        if one["type"] == "consent":
            one["attributes"]["reason"] = f"{MARK}victimSurname wants help."
        if one["type"] == "riskAssessment":
            for count, answer in enumerate(one["attributes"]["answers"], 2):
                answer["text"] = f"{MARK}victimSurname has been hurt {count} times."
        if one["type"] == "submission":
            one["attributes"] |= {"ipAddress": "192.0.2.77", "userAgent": f"{MARK}browser"}
    document["included"] += added
    return document


def _of_person(role: str, serial: int) -> dict[str, Any]:
    word = f"{MARK}{role}"
    return {
        "surname": f"{word}Surname",
        "givenName": [f"{word}Given"],
        "middleName": f"{word}Middle",
        "formerSurname": f"{word}Former",
        "title": f"{word}Title",
        "pncId": f"{word}PNC{serial}",
        "croNumber": f"{word}CRO{serial}",
        "nominalId": f"{word}NOM{serial}",
        "registeredGp": f"{word}Practice",
        "communicationNeeds": [f"{word}Needs"],
        "personDescription": f"{word}Description",
        "occupation": f"{word}Occupation",
        "school": f"{word}School",
    }


def _location(id_: str, word: str) -> dict[str, Any]:
    attributes = {"addressLine1": f"{MARK}{word} line", "town": f"{MARK}{word}town", "postcode": "ZZ99 3VZ"}
    return {"id": id_, "type": "location", "attributes": attributes}


def _link(type_: str, id_: str) -> dict[str, Any]:
    return {"data": [{"id": id_, "type": type_}]}
