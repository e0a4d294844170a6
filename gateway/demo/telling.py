"""What the hospital tells police in the walk: a notice of its own, and what they ask for, item by item."""

from __future__ import annotations

import httpx

from gateway.demo.documents import CLINICAL, REFUSED, notice, released, request
from gateway.demo.walk import LOG, Cast, DemoFailed, Walk, expect

FHIR = "application/fhir+json"


def notify(walk: Walk, cast: Cast) -> None:
    """A hospital sends a safeguarding notice; police read it without anything clinical."""
    sent = cast.hospital.post("/fhir/R4", json=notice(), headers={"Content-Type": FHIR})
    expect(sent, httpx.codes.OK, "a hospital's notice")
    read = cast.police.get("/police/v1/notices")
    expect(read, httpx.codes.OK, "notices of hospitals")
    (one,) = read.json()["notices"]
    listed = cast.auditor.get(f"/audit/v1/logs/{LOG}/entries", params={"event": "hospital-notice-read"})
    expect(listed, httpx.codes.OK, "entries of notices")
    items = listed.json()["entries"][-1]["entry"]["items"]
    leaked = any(words in body for words in CLINICAL for body in cast.heard)
    walk.found["notice"] = {
        "state": one["state"],
        "released": items["released"],
        "withheld": items["withheld"],
        "clinical_given": leaked,
    }
    if leaked:
        raise DemoFailed("police were given what is clinical")
    (name,) = one["record"]["people"][0]["names"]
    walk.say(
        "The emergency department tells police of a patient who agreed to it (a FHIR message).",
        f"Police read: {' '.join(name['given'])} {name['family']}, {', '.join(one['record']['flags'])}",
        f"Withheld: {', '.join(items['withheld'])}",
    )


def inform(walk: Walk, cast: Cast) -> None:
    """Police ask for a victim's information; a person answers each item by itself."""
    asked = cast.police.post("/police/v1/information-requests", json=request(walk.found["referrals"][1]))
    expect(asked, httpx.codes.CREATED, "an information request")
    items = f"/team/v1/information-requests/{asked.json()['request']}/items"
    for number, answer in enumerate((released(), REFUSED), 1):
        expect(cast.hospital.post(f"{items}/{number}", json=answer), httpx.codes.OK, f"item {number}")
    read = cast.police.get("/police/v1/information-answers")
    expect(read, httpx.codes.OK, "answers to an information request")
    answers = read.json()["answers"]
    walk.found["information"] = [one["answer"] for one in answers]
    walk.say(
        "Police ask for two things the victim said, each with its reason. A person answers each by itself:",
        f"{answers[0]['answer']}: {answers[0]['record']['statements'][0]['text']}",
        f"{answers[1]['answer']}: {answers[1]['reason']}; what she said of it is not told",
    )
