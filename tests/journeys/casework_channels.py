"""The ways out that casework has, as calls to try (`channels.py`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from gateway.chance import fresh_id
from tests.support.world import World

Call = Callable[[World, Any], httpx.Response]

MARAC: Mapping[str, Any] = {
    "act": "marac-referral",
    "criteria": ["professional-judgement"],
    "aware": True,
    "consent": {"state": "given"},
    "reason": "He has a key, and says that he will use it.",
}


def _act(world: World, referral: str, *acts: Mapping[str, Any]) -> httpx.Response:
    return world.hospital.post(f"/team/v1/referrals/{referral}/acts", json={"acts": list(acts)})


def _take_back(world: World, referral: str) -> httpx.Response:
    done = _act(world, referral, {"act": "risk-change", "direction": "down"})
    if not done.is_success:
        return done
    (*_, made) = world.hospital.get(f"/team/v1/referrals/{referral}/acts").json()["acts"]
    return _in_error(world, referral, made["id"])


def _in_error(world: World, referral: str, act: str) -> httpx.Response:
    path = f"/team/v1/referrals/{referral}/acts/{act}/entered-in-error"
    return world.hospital.post(path, json={"reason": "wrong-case"})


def _form(world: World, referral: str) -> httpx.Response:
    done = _act(world, referral, MARAC)
    path = f"/team/v1/referrals/{referral}/marac-referral.pdf"
    return world.hospital.get(path) if done.is_success else done


def _on_call(world: World) -> httpx.Response:
    now = datetime.now(UTC)
    times = {"from": now.isoformat(), "until": (now + timedelta(hours=12)).isoformat()}
    return world.hospital.post("/team/v1/on-call", json={"person": "idva-0007", **times})


def _off_call(world: World) -> httpx.Response:
    made = _on_call(world)
    path = "/team/v1/on-call"
    return world.hospital.http.delete(f"{path}/{made.json()['on_call']}") if made.is_success else made


CASEWORK_CHANNELS: Mapping[tuple[str, str], Mapping[str, Call]] = {
    ("POST", "/team/v1/referrals/{id_}/acts"): {
        "an act": lambda w, c: _act(w, c.task, {"act": "risk-change", "direction": "up"}),
        "an act that cannot follow": lambda w, c: _act(w, c.task, {"act": "unable-to-contact"}),
        "an act in no case of the team's": lambda w, _: _act(w, fresh_id(), {"act": "acknowledge"}),
    },
    ("GET", "/team/v1/referrals/{id_}/acts"): {
        "what was done": lambda w, c: w.hospital.get(f"/team/v1/referrals/{c.task}/acts"),
        "what was done in none": lambda w, _: w.hospital.get(f"/team/v1/referrals/{fresh_id()}/acts"),
    },
    ("POST", "/team/v1/referrals/{id_}/acts/{act}/entered-in-error"): {
        "an act taken back": lambda w, c: _take_back(w, c.task),
        "an act of none taken back": lambda w, c: _in_error(w, c.task, fresh_id()),
        "an act of no case of the team's taken back": lambda w, _: _in_error(w, fresh_id(), fresh_id()),
    },
    ("GET", "/team/v1/referrals/{id_}/marac-referral.pdf"): {
        "a form for the conference": lambda w, c: _form(w, c.task),
        "a form of none": lambda w, _: w.hospital.get(f"/team/v1/referrals/{fresh_id()}/marac-referral.pdf"),
    },
    ("GET", "/team/v1/on-call"): {"the rota": lambda w, _: w.hospital.get("/team/v1/on-call")},
    ("POST", "/team/v1/on-call"): {"somebody on call": lambda w, _: _on_call(w)},
    ("DELETE", "/team/v1/on-call/{id_}"): {
        "nobody on call": lambda w, _: _off_call(w),
        "a time of none": lambda w, _: w.hospital.http.delete(f"/team/v1/on-call/{fresh_id()}"),
    },
}
