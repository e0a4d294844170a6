"""The channels between hospitals and police: notices, what is decided of them, and victim information requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import select

from gateway.chance import fresh_id
from gateway.store import tables
from tests.support.bundles import JSON, body, bundle, number

if TYPE_CHECKING:
    from tests.journeys.channels import Case
    from tests.support.world import World

    Call = Callable[[World, Case], httpx.Response]


@dataclass(frozen=True, slots=True)
class Hospital:
    """A notice that police may read, one that waits for a person, and a request with an answer and two to come."""

    notice: str
    waiting: str
    request: str


def send(world: World, **options: Any) -> httpx.Response:
    """Send a new notice."""
    return world.hospital.post("/fhir/R4", content=body(bundle(number(), **options)), headers=JSON)


def asked(referral: str) -> dict[str, Any]:
    """A request with two items."""
    return {
        "referral": referral,
        "line_of_enquiry": "An assault on 12 April.",
        "alternatives": "The neighbours saw nothing.",
        "authorised_by": "Inspector 4567",
        "items": [_item("nobody else was there", "whether he came"), _item("he denies it", "whether he left")],
    }


def _item(why: str, relevance: str) -> dict[str, Any]:
    return {
        "item": "statement.summary",
        "what": "her account of 12 April",
        "since": "2026-04-12",
        "until": "2026-04-13",
        "why": why,
        "basis": "pcsc-2022-s44a",
        "relevance": relevance,
        "victim_told": "told",
    }


def answered() -> dict[str, Any]:
    """What a person releases."""
    at = datetime.now(UTC).isoformat()
    words = "She says that he struck her."
    return {"answer": "released", "view": "agrees", "words": words, "agreed_at": at, "no_clinical_facts": True}


def hospital(world: World, task: str) -> Hospital:
    """One of each."""
    notice = send(world).json()["identifier"]["value"]
    waiting = send(world, consent="refused").json()["identifier"]["value"]
    third = _item("nobody saw it", "whether he stayed")
    question = asked(task) | {"items": [*asked(task)["items"], third]}
    request = world.police.post("/police/v1/information-requests", json=question).json()["request"]
    answer = world.hospital.post(f"/team/v1/information-requests/{request}/items/1", json=answered())
    assert answer.status_code == 200, answer.text
    return Hospital(notice, waiting, request)


def open_item(world: World, request: str) -> int:
    """An item nobody has answered: it is answered once, and tests run in any order."""
    item = tables.information_item
    query = select(item.c.number).where(item.c.request_id == request, item.c.answered_at.is_(None))
    with world.services.database.reading() as connection:
        found: int = connection.execute(query.order_by(item.c.number)).scalars().first()  # type: ignore[assignment]  # two are left open
    return found


_OVERRIDE = {
    "ground": "serious-crime",
    "evidence": "Two calls in a night.",
    "proportionality": "No lesser step would do.",
    "minimum_set": "Who she is.",
    "victim_told": "yes",
}
_NOTICES = "/governance/v1/hospital-notices"
_REFUSED = {"answer": "refused", "view": "not-asked", "reason": "in-writing"}

HOSPITAL_CHANNELS: Mapping[tuple[str, str], Mapping[str, Call]] = {
    ("GET", "/police/v1/notices"): {
        "notices of hospitals": lambda w, _: w.police.get("/police/v1/notices"),
        "no more notices of hospitals": lambda w, _: w.police.get("/police/v1/notices?after=999999999"),
    },
    ("POST", "/police/v1/notices/acknowledgements"): {
        "notices acknowledged": lambda w, _: w.police.post("/police/v1/notices/acknowledgements?through=1"),
    },
    ("GET", _NOTICES): {"notices that wait": lambda w, _: w.guardian.get(_NOTICES)},
    ("GET", f"{_NOTICES}/{{id_}}"): {
        "a notice that waits": lambda w, c: w.guardian.get(f"{_NOTICES}/{c.hospital.waiting}"),
        "a notice of none": lambda w, _: w.guardian.get(f"{_NOTICES}/{fresh_id()}"),
    },
    ("POST", f"{_NOTICES}/{{id_}}/release"): {
        "no notice is released": lambda w, _: w.guardian.post(f"{_NOTICES}/{fresh_id()}/release", json=_OVERRIDE),
    },
    ("POST", f"{_NOTICES}/{{id_}}/keep-back"): {
        "no notice is kept back": lambda w, _: w.guardian.post(
            f"{_NOTICES}/{fresh_id()}/keep-back", json={"reason": "her-wish"}
        ),
    },
    ("POST", f"{_NOTICES}/{{id_}}/consent"): {
        "she agrees to a notice": lambda w, c: w.guardian.post(
            f"{_NOTICES}/{c.hospital.notice}/consent", json={"state": "given"}
        ),
    },
    ("POST", "/police/v1/information-requests"): {
        "asked": lambda w, c: w.police.post("/police/v1/information-requests", json=asked(c.task)),
        "asked of none": lambda w, _: w.police.post("/police/v1/information-requests", json=asked(fresh_id())),
        "asked for everything": lambda w, c: w.police.post(
            "/police/v1/information-requests", json=asked(c.task) | {"items": asked(c.task)["items"] * 6}
        ),
    },
    ("GET", "/police/v1/information-requests/{id_}"): {
        "a request of one's own": lambda w, c: w.police.get(f"/police/v1/information-requests/{c.hospital.request}"),
        "a request of none": lambda w, _: w.police.get(f"/police/v1/information-requests/{fresh_id()}"),
    },
    ("GET", "/police/v1/information-answers"): {
        "answers": lambda w, _: w.police.get("/police/v1/information-answers"),
        "no more answers": lambda w, _: w.police.get("/police/v1/information-answers?after=999999999"),
    },
    ("POST", "/police/v1/information-answers/acknowledgements"): {
        "answers acknowledged": lambda w, _: w.police.post("/police/v1/information-answers/acknowledgements?through=1"),
    },
    ("GET", "/team/v1/information-requests"): {
        "what police ask": lambda w, _: w.hospital.get("/team/v1/information-requests"),
    },
    ("GET", "/team/v1/information-requests/{id_}"): {
        "what police ask, in words": lambda w, c: w.hospital.get(f"/team/v1/information-requests/{c.hospital.request}"),
        "what nobody asks": lambda w, _: w.hospital.get(f"/team/v1/information-requests/{fresh_id()}"),
    },
    ("POST", "/team/v1/information-requests/{id_}/items/{item}"): {
        "an item answered": lambda w, c: w.hospital.post(
            f"/team/v1/information-requests/{c.hospital.request}/items/{open_item(w, c.hospital.request)}",
            json=_REFUSED,
        ),
        "an item of none": lambda w, _: w.hospital.post(
            f"/team/v1/information-requests/{fresh_id()}/items/1", json=_REFUSED
        ),
    },
}
"""Every way between them, as a call to try."""

NOTICE_CALLS: Mapping[str, Call] = {
    "a notice": lambda w, _: send(w),
    "a notice that waits for a person": lambda w, _: send(w, consent="refused"),
    "a notice nobody can read": lambda w, _: w.hospital.post("/fhir/R4", content=b"{", headers=JSON),
}
"""What comes in at the FHIR base beside reads."""
