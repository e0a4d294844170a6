"""The walk: a police system pushes, a hospital team acts, police read the answer, an auditor checks everything.

Everything is real but the people: a server process, HTTP, signed tokens, a signed agreement, an encrypted database, a
Merkle log, and a verifier in a process of its own. Each step says in words what happened; `--json` says it in figures.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from adapters.nhs.fhir import CANONICAL
from audit.note import Verifier
from audit.receipt import Receipt
from gateway.agreement import shipped
from gateway.demo.client import Client, key_of
from gateway.demo.incidents import incident
from gateway.demo.setting import free_port, prepared, serving, settings_of

LOG = "operation-provide"
JSON_API = "application/vnd.api+json"
ADVISER = {"id": "idva-0042", "role": "idva"}
OFFICER = {"id": "collar-1234", "role": "officer-in-case"}
GUARDIAN = {"id": "caldicott-1", "role": "caldicott-guardian"}
AUDITOR = {"id": "auditor-7", "role": "auditor"}


class DemoFailed(Exception):
    """A step did not come out as it must."""


@dataclass
class Walk:
    """One walk: what it says, and what it found."""

    quiet: bool
    work: Path
    found: dict[str, Any] = field(default_factory=dict)
    step: int = 0

    def say(self, title: str, *lines: str) -> None:
        """Tell the visitor of a step."""
        self.step += 1
        if not self.quiet:
            print(f"\n{self.step:>2}. {title}")  # noqa: T201 - the demonstration speaks
            for line in lines:
                print(f"    {line}")  # noqa: T201 - as above


def run(keep: Path | None, *, quiet: bool) -> dict[str, Any]:
    """Walk the road; returns what was found. Raises DemoFailed."""
    with tempfile.TemporaryDirectory(prefix="provide-demo-") as scratch:
        directory = keep or Path(scratch) / "data"
        walk = Walk(quiet, Path(scratch))
        settings = settings_of(directory, free_port())
        keys_dir = directory / "demo-clients"
        prepared(settings, keys_dir)
        walk.say(
            "A gateway is set up: keys, an encrypted SQLite database, four clients.",
            "The Operation Provide agreement is in force, signed by every party with its own key:",
            *(party.name for party in shipped().content.parties),
            "Without it nothing could pass.",
        )
        with serving(settings):
            url = settings.public_url

            def client(name: str, user: dict[str, str]) -> Client:
                return Client(url, name, key_of(keys_dir / f"{name}.pem"), user)

            with (
                client("demo-rms", OFFICER) as police,
                client("demo-hospital", ADVISER) as hospital,
                client("demo-guardian", GUARDIAN) as guardian,
                client("demo-auditor", AUDITOR) as auditor,
            ):
                for one in (police, hospital, guardian, auditor):
                    one.sign_in()
                walk.say("Each system signs in with a JWT of its own (RS512) and is given a token for five minutes.")
                _police_push(walk, police, hospital)
                _hospital_acts(walk, hospital)
                _police_read(walk, police)
                _correction_travels(walk, police, hospital)
                _life_at_risk(walk, hospital, guardian)
                _auditor_checks(walk, auditor)
        if keep is not None:
            walk.say(
                "The data is left for you. Serve it with:",
                f"GATEWAY_DATA_DIR={directory} GATEWAY_PUBLIC_URL={url} gateway serve --port {url.rpartition(':')[2]}",
                f"The clients' keys are in {keys_dir}.",
            )
        return walk.found


def _police_push(walk: Walk, police: Client, hospital: Client) -> None:
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
        _expect(answer, expected, f"push: {words}")
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
    _expect(unreadable, httpx.codes.BAD_REQUEST, "push: cut off")
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
        "push_to_visible_ms": _push_to_visible(police, hospital),
    }
    walk.say(
        f"From push to visible in the team's worklist: {walk.found['push_to_visible_ms']:.0f} ms.",
        "Before Operation Provide a report took four to five days.",
    )


def _push_to_visible(police: Client, hospital: Client) -> float:
    began = time.perf_counter()
    answer = police.post("/police/v1/incidents", json=incident(9, grade="MEDIUM"), headers={"Content-Type": JSON_API})
    _expect(answer, httpx.codes.CREATED, "push: measured")
    reference = answer.json()["referrals"][0]["reference"]
    found = hospital.get("/fhir/R4/Task", params={"_id": reference})
    _expect(found, httpx.codes.OK, "worklist: measured")
    if found.json()["total"] != 1:
        raise DemoFailed("the referral is not in the worklist")
    return (time.perf_counter() - began) * 1000


def _hospital_acts(walk: Walk, hospital: Client) -> None:
    worklist = hospital.get("/fhir/R4/Task", params={"status": "requested"})
    _expect(worklist, httpx.codes.OK, "worklist")
    tasks = [entry["resource"] for entry in worklist.json()["entry"]]
    walk.say(
        f"The team's worklist has {len(tasks)} referrals: routing, priority, grade, clock; nobody's name.",
        *(f"{t['priority']:<8} answer by {t['restriction']['period']['end']}" for t in tasks),
    )
    reference = walk.found["referrals"][0]
    opened = hospital.get("/fhir/R4/ServiceRequest", params={"_id": reference, "_include": "ServiceRequest:subject"})
    _expect(opened, httpx.codes.OK, "open the referral")
    entries = [entry["resource"] for entry in opened.json()["entry"]]
    patient = next(one for one in entries if one["resourceType"] == "Patient")
    telecom = [one.get("value", "not safe to use: withheld from use") for one in patient.get("telecom", ())]
    walk.say(
        "The adviser opens one. Before a byte of it left, an entry saying so was committed to the log.",
        f"Receipt: {opened.headers['Gateway-Receipt']}",
        f"Contact: {', '.join(telecom) or 'none stated safe'}",
    )
    version = 'W/"1"'
    for words, status, output in (
        ("accepts it", "accepted", None),
        ("starts work", "in-progress", _output("contact-attempted", count=1)),
        ("reports that the victim engaged", "in-progress", _output("engaged", consent="given")),
    ):
        patch: list[dict[str, Any]] = [{"op": "replace", "path": "/status", "value": status}]
        if output is not None:
            task = hospital.get(f"/fhir/R4/Task/{reference}").json()
            value = [*task.get("output", []), output]
            patch.append({"op": "add", "path": "/output", "value": value})
        answer = hospital.patch(
            f"/fhir/R4/Task/{reference}",
            content=json.dumps(patch),
            headers={"If-Match": version, "Content-Type": "application/json-patch+json"},
        )
        _expect(answer, httpx.codes.OK, words)
        version = answer.headers["ETag"]
    walk.say("The adviser accepts the referral, tries to reach the victim, and reports that she engaged.")


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


def _police_read(walk: Walk, police: Client) -> None:
    answer = police.get("/police/v1/feedback")
    _expect(answer, httpx.codes.OK, "feedback")
    body = answer.json()
    walk.found["feedback"] = [{"referral": one["referral"], "code": one["code"]} for one in body["feedback"]]
    _expect(
        police.post("/police/v1/feedback/acknowledgements", params={"through": body["next"]}),
        httpx.codes.OK,
        "acknowledge feedback",
    )
    walk.say(
        "Police read what the agreement lets them know, in codes:",
        *(one["code"] for one in body["feedback"]),
    )


def _correction_travels(walk: Walk, police: Client, hospital: Client) -> None:
    reference = walk.found["referrals"][1]
    read = hospital.get(f"/fhir/R4/ServiceRequest/{reference}")
    _expect(read, httpx.codes.OK, "open the second referral")
    later = incident(2, grade="HIGH", town="Fleetwood", child=False, version=2)
    answer = police.post("/police/v1/incidents", json=later, headers={"Content-Type": JSON_API})
    _expect(answer, httpx.codes.OK, "push: a re-grade")
    told = hospital.get("/notices/v1")
    _expect(told, httpx.codes.OK, "notices")
    notice = next(one for one in told.json()["notices"] if one["referral"] == reference)
    _expect(hospital.post(f"/notices/v1/{notice['notice']}/acknowledgement"), httpx.codes.OK, "acknowledge")
    walk.found["corrected"] = notice["kind"] == "corrected"
    walk.say(
        "Police grade the second case up. Whoever the log says had read it is told, and acknowledges:",
        f"{notice['kind']} ({notice['reason']}), to be acknowledged by {notice['due_at']}",
    )


def _life_at_risk(walk: Walk, hospital: Client, guardian: Client) -> None:
    reference = walk.found["referrals"][0]
    case = f"/fhir/R4/ServiceRequest/{reference}"
    withdrawn = hospital.post(f"/team/v1/referrals/{reference}/consent", json={"state": "withdrawn"})
    _expect(withdrawn, httpx.codes.OK, "consent withdrawn")
    _expect(hospital.get(case), httpx.codes.NOT_FOUND, "read after she withdrew")
    reason = {"ground": "life-or-limb", "reason": "Her sister rang: he is on his way to the house."}
    opened = hospital.post(f"/team/v1/referrals/{reference}/break-glass", json=reason)
    _expect(opened, httpx.codes.CREATED, "break the glass")
    _expect(hospital.get(case), httpx.codes.OK, "read in an emergency")
    review = f"/governance/v1/break-glass/{opened.json()['break_glass']}/review"
    _expect(guardian.post(review, json={"outcome": "justified"}), httpx.codes.OK, "review")
    walk.found["break_glass_reviewed"] = True
    walk.say(
        "The victim withdraws her consent: the case is closed to the team, and police are told.",
        "Then her life is at risk. The adviser breaks the glass, with a ground and a reason; the agreement's",
        f"emergency clause opens the case until {opened.json()['open_until']}, and every party is told.",
        "The Caldicott Guardian reviews it; until then the adviser could not have done it again.",
    )


def _auditor_checks(walk: Walk, auditor: Client) -> None:
    logs = auditor.get("/audit/v1/logs")
    _expect(logs, httpx.codes.OK, "logs")
    key = next(one["key"] for one in logs.json()["logs"] if one["id"] == LOG)
    listed = auditor.get(f"/audit/v1/logs/{LOG}/entries", params={"limit": 1000})
    _expect(listed, httpx.codes.OK, "entries")
    entries = listed.json()["entries"]
    walk.say(
        f"The auditor lists what happened: {len(entries)} entries. The last five:",
        *(_line(one) for one in entries[-5:]),
    )
    disclosed = next(one for one in entries if one["entry"]["event"] == "referral-read")
    proof = auditor.get(disclosed["proof"])
    _expect(proof, httpx.codes.OK, "proof")
    receipt = Receipt.from_text(proof.text)
    checkpoint = receipt.verify(Verifier.from_text(key))
    walk.found["receipt_verified"] = checkpoint.size > receipt.index
    walk.say(
        f"One receipt is checked against the log's key: entry {receipt.index} is in the tree of {checkpoint.size}."
    )

    exported = auditor.get(f"/audit/v1/logs/{LOG}/pack")
    _expect(exported, httpx.codes.OK, "pack")
    pack = walk.work / "evidence.pack"
    pack.write_bytes(exported.content)
    verdict = _verify(pack, key)
    walk.found["pack_verified"] = verdict["verified"]
    walk.found["log"] = {"origin": verdict["log"], "size": verdict["size"], "root": verdict["root"]}
    walk.say(
        f"The evidence pack ({len(exported.content)} bytes) is checked by `python -m audit verify`,",
        "a separate process with no database, no gateway and no network: "
        + ("verified." if verdict["verified"] else "REFUTED."),
    )
    again = _rederive(pack)
    walk.found["rederived"] = {name: again[name] for name in ("same", "different")}
    walk.say(
        f"From the pack alone, each of {again['same']} decisions is made again from what its entry says:",
        f"{again['different']} came out otherwise.",
    )
    walk.found["tamper_detected"] = _tamper(walk, pack, key, disclosed["index"])


def _tamper(walk: Walk, pack: Path, key: str, index: int) -> bool:
    """Alter one byte of one entry in a copy, and see whether the verifier names the entry."""
    lines = pack.read_bytes().split(b"\n")
    at = next(n for n, line in enumerate(lines) if line.startswith(b"entry %d " % index))
    lines[at] = lines[at].replace(b'"outcome":"permitted"', b'"outcome":"permittee"', 1)
    copy = walk.work / "altered.pack"
    copy.write_bytes(b"\n".join(lines))
    verdict = _verify(copy, key)
    named = [one for one in verdict["findings"] if one["index"] == index]
    walk.say(
        f"One byte of entry {index} is altered in a copy. The verifier says:",
        *(f"entry {one['index']} {one['message']}" for one in named[:2]),
    )
    return not verdict["verified"] and bool(named)


def _verify(pack: Path, key: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "audit", "verify", str(pack), "--key", key, "--json"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - ourselves
    try:
        verdict: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise DemoFailed(f"the verifier ended with {done.returncode}: {done.stderr.decode()[-500:]}") from None
    return verdict


def _rederive(pack: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "gateway", "agreement", "rederive", "--pack", str(pack), "--json"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - ourselves
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise DemoFailed(f"rederive ended with {done.returncode}: {done.stderr.decode()[-500:]}") from None
    return found


def _line(one: dict[str, Any]) -> str:
    entry = one["entry"]
    who = f"{entry['actor']['organisation']}/{entry['actor']['client']}"
    return f"#{one['index']:<3} {entry['time']}  {entry['outcome']:<9} {entry['event']:<22} {who}"


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


def _expect(answer: httpx.Response, status: int, what: str) -> None:
    if answer.status_code != status:
        raise DemoFailed(f"{what}: {answer.status_code} instead of {status}: {answer.text[:500]}")
