"""What the hospital's people do in the walk: an adviser acts on a referral, and breaks the glass for a life at risk."""

from __future__ import annotations

from typing import Any

import httpx

from adapters.nhs.fhir import CANONICAL
from gateway.demo.client import Client
from gateway.demo.walk import Cast, Walk, expect


def act(walk: Walk, cast: Cast) -> None:
    """An adviser finds a referral in the worklist, opens it, accepts it and works."""
    hospital = cast.hospital
    worklist = hospital.get("/fhir/R4/Task", params={"status": "requested"})
    expect(worklist, httpx.codes.OK, "worklist")
    tasks = [entry["resource"] for entry in worklist.json()["entry"]]
    walk.say(
        f"The team's worklist has {len(tasks)} referrals: routing, priority, grade, clock; nobody's name.",
        *(f"{t['priority']:<8} answer by {t['restriction']['period']['end']}" for t in tasks),
    )
    reference = walk.found["referrals"][0]
    opened = hospital.get("/fhir/R4/ServiceRequest", params={"_id": reference, "_include": "ServiceRequest:subject"})
    expect(opened, httpx.codes.OK, "open the referral")
    entries = [entry["resource"] for entry in opened.json()["entry"]]
    patient = next(one for one in entries if one["resourceType"] == "Patient")
    telecom = [one.get("value", "not safe to use: withheld from use") for one in patient.get("telecom", ())]
    walk.say(
        "The adviser opens one. Before a byte of it left, an entry saying so was committed to the log.",
        f"Receipt: {opened.headers['Gateway-Receipt']}",
        f"Contact: {', '.join(telecom) or 'none stated safe'}",
    )
    _change(hospital, reference, "accepts it", "accepted", None)
    _change(hospital, reference, "starts work", "in-progress", _output("contact-attempted", count=1))
    _change(hospital, reference, "reports that she engaged", "in-progress", _output("engaged", consent="given"))
    walk.say("The adviser accepts the referral, tries to reach the victim, and reports that she engaged.")


def life_at_risk(walk: Walk, cast: Cast) -> None:
    """She withdraws her consent; then her life is at risk."""
    hospital, guardian = cast.hospital, cast.guardian
    reference = walk.found["referrals"][0]
    case = f"/fhir/R4/ServiceRequest/{reference}"
    withdrawn = hospital.post(f"/team/v1/referrals/{reference}/consent", json={"state": "withdrawn"})
    expect(withdrawn, httpx.codes.OK, "consent withdrawn")
    expect(hospital.get(case), httpx.codes.NOT_FOUND, "read after she withdrew")
    reason = {"ground": "life-or-limb", "reason": "Her sister rang: he is on his way to the house."}
    opened = hospital.post(f"/team/v1/referrals/{reference}/break-glass", json=reason)
    expect(opened, httpx.codes.CREATED, "break the glass")
    expect(hospital.get(case), httpx.codes.OK, "read in an emergency")
    review = f"/governance/v1/break-glass/{opened.json()['break_glass']}/review"
    expect(guardian.post(review, json={"outcome": "justified"}), httpx.codes.OK, "review")
    walk.found["break_glass_reviewed"] = True
    walk.say(
        "The victim withdraws her consent: the case is closed to the team, and police are told.",
        "Then her life is at risk. The adviser breaks the glass, with a ground and a reason; the agreement's",
        f"emergency clause opens the case until {opened.json()['open_until']}, and every party is told.",
        "The Caldicott Guardian reviews it; until then the adviser could not have done it again.",
    )


def _change(hospital: Client, reference: str, words: str, status: str, output: dict[str, Any] | None) -> None:
    def patch(task: dict[str, Any]) -> list[dict[str, Any]]:
        moved = {"op": "replace", "path": "/status", "value": status}
        more = {"op": "add", "path": "/output", "value": [*task.get("output", []), output]}
        return [moved] if output is None else [moved, more]

    expect(hospital.change(f"/fhir/R4/Task/{reference}", patch), httpx.codes.OK, words)


def _output(code: str, *, count: int | None = None, consent: str | None = None) -> dict[str, Any]:
    extension: list[dict[str, Any]] = []
    if count is not None:
        extension.append({"url": f"{CANONICAL}/StructureDefinition/feedback-count", "valueInteger": count})
    if consent is not None:
        extension.append({"url": f"{CANONICAL}/StructureDefinition/consent-state", "valueCode": consent})
    return {
        **({"extension": extension} if extension else {}),
        "type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/feedback", "code": code}]},
        "valueBoolean": True,
    }
