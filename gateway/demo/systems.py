"""What systems do in the walk while people work: an engine is delivered to and answers, and PDS is asked."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from typing import Any

import httpx

from audit.entry import timestamp
from gateway.demo.engine import Received, accepting
from gateway.demo.walk import LOG, WAIT_SECONDS, Cast, DemoFailed, Walk, expect, until
from gateway.mllp.channel import control_id

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"


def deliver(walk: Walk, cast: Cast) -> None:
    """Each referral goes to the hospital's engine; what the engine refuses comes before a person, and goes again."""
    cases = {*walk.found["referrals"], walk.measured}
    if not cast.engine.wait_for(lambda received: cases <= {one.case for one in received}, WAIT_SECONDS):
        raise DemoFailed("a referral was not delivered")
    refused = next((one.case for one in cast.engine.received if one.answer == "AE"), None)
    if refused is None:
        raise DemoFailed("the engine was told to refuse the first, and was not heard to")
    renewed = until(lambda: _again(cast, refused), "the referral that was refused")
    taken = [one.case for one in cast.engine.received if one.answer == "AA" and one.type == "REF^I12"]
    walk.found["delivered"] = {"referrals": len(cases), "refused": 1, "taken_once": sorted(taken) == sorted(cases)}
    walk.say(
        "The team's integration engine is sent each referral too: HL7 v2.4 over MLLP, with no narrative in it.",
        *(f"{one.answer}  {one.type} {one.control_id}" for one in cast.engine.received),
        "What it refused came before a person, who had it sent again." if renewed else "What it refused went again.",
        "Each referral was taken once.",
    )


def _again(cast: Cast, case: str) -> bool | None:
    """Have a refused referral sent again, and say so once it was taken: whether a person did it, or None for not yet.

    What is found out about her in the meantime takes its place by itself.
    """
    listed = cast.guardian.get("/governance/v1/deliveries")
    expect(listed, httpx.codes.OK, "deliveries")
    waits = (one["delivery"] for one in listed.json()["deliveries"] if one["case"] == case)
    answers = [cast.guardian.post(f"/governance/v1/deliveries/{one}/renewal").status_code for one in waits]
    renewed = httpx.codes.OK in answers

    def taken(received: Sequence[Received]) -> bool:
        return any(one.case == case and one.answer == "AA" for one in received)

    return renewed if cast.engine.wait_for(taken, WAIT_SECONDS if renewed else 0) else None


def answer(walk: Walk, cast: Cast) -> None:
    """The engine accepts a referral by a message of its own."""
    case = walk.found["referrals"][1]
    brought = next(one for one in cast.engine.received if one.case == case and one.answer == "AA")
    said = cast.engine.tell(cast.mllp_port, accepting(brought.control_id, case))
    task = cast.hospital.get(f"/fhir/R4/Task/{case}")
    expect(task, httpx.codes.OK, "the task that was answered")
    status = task.json()["status"]
    walk.found["reply"] = {"answered": said, "status": status}
    walk.say(
        "The engine answers one with RRI^I12, on a line to the gateway's own listener.",
        f"{said}: sealed first. The referral is {status}, in the name of whoever answers for the engine.",
    )


def trace(walk: Walk, cast: Cast) -> None:
    """The gateway looks for the NHS numbers of the victim, of whom PDS restricts what it says, and of her child."""
    said = [_next(cast)]
    while not said[-1]["found"]:
        said.append(_next(cast))
    reference = walk.found["referrals"][0]

    def traced(ref: str) -> tuple[dict[str, Any], str] | None:
        read = cast.hospital.get(f"/fhir/R4/Patient/{reference}.{ref}")
        expect(read, httpx.codes.OK, "the patient who was traced")
        shown: dict[str, Any] = read.json()
        numbers = [one["value"] for one in shown.get("identifier", ()) if one["system"] == NHS_NUMBER]
        return (shown, numbers[0]) if numbers else None

    found, number = until(lambda: traced("victim-1"), "her NHS number")
    child, childs = until(lambda: traced("child-1"), "the NHS number of her child")
    again = len(said) - len({one["request"] for one in said})
    walk.found["traced"] = {
        "questions": len(said),
        "sent_again": again,
        "with_postcode": [one["postcode"] for one in said],
        "address_written": "address" in found or "address" in child,
    }
    walk.found["nhs_numbers"] = [number, childs]
    walk.say(
        "Meanwhile the gateway asked PDS (a simulator, in a process of its own) for the victim's NHS number.",
        *map(_question, said),
        f"She is restricted, and found by the second pass alone. The team is given {number}, and of her child,",
        f"asked for alone, {childs}; no address of either in a field that another system files.",
    )


def sealed_first(walk: Walk, cast: Cast) -> None:
    """Every message that the engine was sent is older in the log than on its line; police never had the number."""
    received = cast.engine.received
    listed = cast.auditor.get(f"/audit/v1/logs/{LOG}/entries", params={"limit": 1000})
    expect(listed, httpx.codes.OK, "entries")
    sealed = {
        control_id(entry["detail"]["delivery"]): entry["time"]
        for entry in (one["entry"] for one in listed.json()["entries"])
        if entry["event"] in _SENT
    }
    walk.found["sealed_before_sent"] = all(_before(sealed.get(one.control_id), one) for one in received)
    walk.found["police_given_nhs_number"] = any(
        number in body for body in cast.heard for number in walk.found["nhs_numbers"]
    )
    if not walk.found["sealed_before_sent"] or walk.found["police_given_nhs_number"]:
        raise DemoFailed("something left that was not sealed before, or that police may not have")
    walk.say(
        f"The engine was sent {len(received)} messages by now. Each is in the log from before it came.",
        f"Police were given {len(cast.heard)} answers. No NHS number is in any of them.",
    )


def _next(cast: Cast) -> dict[str, Any]:
    try:
        return cast.pds.said.get(timeout=WAIT_SECONDS)
    except queue.Empty:
        raise DemoFailed("PDS was not asked") from None


def _question(one: dict[str, Any]) -> str:
    where = "with the area of the postcode" if one["postcode"] else "without the postcode         "
    came = f"{one['found']} found" if one["status"] == httpx.codes.OK else "asked again under the same request id"
    return f"{one['status']}  {where}: {came}"


def _before(sealed: str | None, one: Received) -> bool:
    return sealed is not None and sealed <= timestamp(one.at)


_SENT = frozenset({"referral-delivered", "referral-recalled"})
