"""What police do in the walk: push incidents, read what became of them, correct one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from gateway.demo.incidents import incident
from gateway.demo.walk import JSON_API, Cast, DemoFailed, Walk, expect


def push(walk: Walk, cast: Cast) -> None:
    """Police push incidents, good ones and bad."""
    police = cast.police
    pushes: list[tuple[str, dict[str, Any], int]] = [
        ("high risk, a child in the house", incident(1, grade="HIGH"), 201),
        ("standard risk, Fleetwood", incident(2, grade="STANDARD", town="Fleetwood", child=False), 201),
        ("the first one again", incident(1, grade="HIGH"), 200),
        ("handling code C", incident(3, handling="C"), 202),
        ("marked SECRET", incident(4, marking="SECRET"), 422),
    ]
    lines: list[str] = []
    decisions: list[Any] = []
    referrals: list[str] = []
    for words, document, expected in pushes:
        answer = police.post("/police/v1/incidents", json=document, headers={"Content-Type": JSON_API})
        expect(answer, expected, f"push: {words}")
        body = answer.json()
        for one in body.get("referrals", ()):
            if one["reference"] not in referrals:
                referrals.append(one["reference"])
        if body.get("state") == "accepted":
            decisions += body["decisions"]
        lines.append(f"{answer.status_code}  {words}: {_what(body)}")
    unreadable = police.post(
        "/police/v1/incidents", content=b'{"data": {"type": "incident", "type"', headers={"Content-Type": JSON_API}
    )
    expect(unreadable, httpx.codes.BAD_REQUEST, "push: cut off")
    lines.append(f"{unreadable.status_code}  cut off in the middle: kept in quarantine for a named human")
    walk.say("Police push incidents.", *lines)

    withheld = [one for decision in decisions if decision["recipient"] == "idva-team" for one in decision["withheld"]]
    shown = {one["item"]: one for one in withheld}
    walk.say(
        "The sender is told what the advisers will not see, and by which clause:",
        *(f"{one['title']}: {one['words']} ({one['clause']})" for one in shown.values()),
    )
    walk.found |= {
        "incidents": len(pushes) + 1,
        "referrals": referrals,
        "decisions": decisions,
        "withheld": sorted(shown),
        "push_to_visible_ms": _push_to_visible(walk, cast),
    }
    walk.say(
        f"From push to visible in the team's worklist: {walk.found['push_to_visible_ms']:.0f} ms.",
        "Before Operation Provide a report took four to five days.",
    )


def read_feedback(walk: Walk, cast: Cast) -> None:
    """Police read what became of it."""
    police = cast.police
    answer = police.get("/police/v1/feedback")
    expect(answer, httpx.codes.OK, "feedback")
    body = answer.json()
    walk.found["feedback"] = [{"referral": one["referral"], "code": one["code"]} for one in body["feedback"]]
    expect(
        police.post("/police/v1/feedback/acknowledgements", params={"through": body["next"]}),
        httpx.codes.OK,
        "acknowledge feedback",
    )
    walk.say(
        "Police read what the agreement lets them know, in codes:",
        *(one["code"] for one in body["feedback"]),
    )


def correct(walk: Walk, cast: Cast) -> None:
    """Police correct a record; whoever read it is told."""
    police, hospital = cast.police, cast.hospital
    reference = walk.found["referrals"][1]
    read = hospital.get(f"/fhir/R4/ServiceRequest/{reference}")
    expect(read, httpx.codes.OK, "open the second referral")
    later = incident(2, grade="HIGH", town="Fleetwood", child=False, version=2)
    answer = police.post("/police/v1/incidents", json=later, headers={"Content-Type": JSON_API})
    expect(answer, httpx.codes.OK, "push: a re-grade")
    told = hospital.get("/notices/v1")
    expect(told, httpx.codes.OK, "notices")
    notice = next(one for one in told.json()["notices"] if one["referral"] == reference)
    expect(hospital.post(f"/notices/v1/{notice['notice']}/acknowledgement"), httpx.codes.OK, "acknowledge")
    walk.found["corrected"] = notice["kind"] == "corrected"
    walk.say(
        "Police grade the second case up. Whoever the log says had read it is told, and acknowledges:",
        f"{notice['kind']} ({notice['reason']}), to be acknowledged by {notice['due_at']}",
    )


def _push_to_visible(walk: Walk, cast: Cast) -> float:
    began = time.perf_counter()
    answer = cast.police.post(
        "/police/v1/incidents", json=incident(9, grade="MEDIUM"), headers={"Content-Type": JSON_API}
    )
    expect(answer, httpx.codes.CREATED, "push: measured")
    walk.measured = answer.json()["referrals"][0]["reference"]
    found = cast.hospital.get("/fhir/R4/Task", params={"_id": walk.measured})
    expect(found, httpx.codes.OK, "worklist: measured")
    if found.json()["total"] != 1:
        raise DemoFailed("the referral is not in the worklist")
    return (time.perf_counter() - began) * 1000


def _what(body: dict[str, Any]) -> str:
    """What the sender was told, in a few words."""
    if "title" in body:
        return str(body.get("detail") or body["title"])
    known: dict[str, Callable[[], str]] = {
        "accepted": lambda: f"accepted, {len(body['referrals'])} referral",
        "known": lambda: "already known, no second case",
        "held": lambda: f"held for {body['held']['owner']} until {body['held']['due']}: {body['reason']}",
    }
    return known[body["state"]]()
