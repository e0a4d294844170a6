"""What the auditor does in the walk: lists the log, checks a receipt, and has the pack checked in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from audit.note import Verifier
from audit.receipt import Receipt
from gateway.demo.walk import LOG, Cast, DemoFailed, Walk, expect


def check(walk: Walk, cast: Cast) -> None:
    """The auditor lists the log, checks a receipt, exports the pack and has it checked."""
    auditor = cast.auditor
    logs = auditor.get("/audit/v1/logs")
    expect(logs, httpx.codes.OK, "logs")
    key = next(one["key"] for one in logs.json()["logs"] if one["id"] == LOG)
    listed = auditor.get(f"/audit/v1/logs/{LOG}/entries", params={"limit": 1000})
    expect(listed, httpx.codes.OK, "entries")
    entries = listed.json()["entries"]
    walk.say(
        f"The auditor lists what happened: {len(entries)} entries. The last five:",
        *(_line(one) for one in entries[-5:]),
    )
    disclosed = next(one for one in entries if one["entry"]["event"] == "referral-read")
    proof = auditor.get(disclosed["proof"])
    expect(proof, httpx.codes.OK, "proof")
    receipt = Receipt.from_text(proof.text)
    checkpoint = receipt.verify(Verifier.from_text(key))
    walk.found["receipt_verified"] = checkpoint.size > receipt.index
    walk.say(
        f"One receipt is checked against the log's key: entry {receipt.index} is in the tree of {checkpoint.size}."
    )

    exported = auditor.get(f"/audit/v1/logs/{LOG}/pack")
    expect(exported, httpx.codes.OK, "pack")
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
