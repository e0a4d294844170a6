"""The report for people, in plain words, and for programs, as JSON. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from audit.encoding import to_base64
from audit.report import Cosigned, Report


def in_words(report: Report) -> str:
    """Say a report in lines for a person: the verdict, what was found, and whose keys it rests on."""
    return "\n".join((*_verdict(report), *_witnesses(report), *_key(report)))


def as_json(report: Report) -> dict[str, Any]:
    """Return a report as plain JSON values; hashes in Base 64, times in RFC 3339."""
    return {
        "verified": report.verified,
        "log": report.origin,
        "size": report.size,
        "root": None if report.root is None else to_base64(report.root),
        "documents": report.documents,
        "key": report.key,
        "key_pinned": report.pinned,
        "earlier_size": report.earlier_size,
        "cosigned": [
            {
                "witness": one.witness,
                "key": one.key,
                "key_pinned": one.pinned,
                "size": one.size,
                "time": _time(one.seconds),
            }
            for one in report.cosigned
        ],
        "faults": report.fault_count,
        "findings": [
            {
                "thing": str(finding.thing),
                "line": finding.line,
                "index": finding.index,
                "id": finding.id,
                "relying": finding.relying,
                "warning": finding.warning,
                "message": finding.message,
            }
            for finding in report.findings
        ],
        "findings_left_out": report.finding_count - len(report.findings),
    }


def _verdict(report: Report) -> Iterator[str]:
    if report.verified:
        yield f"Verified: {report.size} entries and {report.documents} texts of {report.origin}."
    else:
        yield f"REFUTED: {_count(report.fault_count, 'fault')} found in this pack."
    for finding in report.findings:
        yield f"  {'warning' if finding.warning else 'fault'}: {finding}"
    if report.finding_count > len(report.findings):
        yield f"  and {report.finding_count - len(report.findings)} more"
    if report.earlier_size is not None and report.verified:
        yield f"The earlier checkpoint of {report.earlier_size} entries is a part of this log."


def _witnesses(report: Report) -> Iterator[str]:
    """Say of each witness the largest size it cosigned; each checkpoint before it is a part of that one."""
    by_key = sorted(report.cosigned, key=lambda one: (one.witness, one.key))
    for _, group in groupby(by_key, key=lambda one: one.key):
        made = list(group)
        last = max(made, key=lambda one: (one.size, one.seconds))
        yield (
            f"Witness {last.witness} cosigned {last.size} entries at {_time(last.seconds)} "
            f"({_count(len(made), 'cosignature')} in all){_whose(last)}"
        )
    if not report.cosigned and report.verified:
        yield "No witness has cosigned a checkpoint of this pack."


def _whose(one: Cosigned) -> str:
    return "." if one.pinned else f"; its key came from the pack itself: --witness '{one.key}'"


def _key(report: Report) -> Iterator[str]:
    if report.pinned:
        yield f"Checked with the key you gave: {report.key}"
    elif report.key is not None:
        yield "The key came from the pack itself, so this shows only that the pack agrees with itself."
        yield "Compare the key with one from a source you trust, and give it next time:"
        yield f"  --key '{report.key}'"


def _time(seconds: int) -> str:
    """Return RFC 3339 in UTC; past the calendar, the number alone."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00") + "Z"
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s since 1970"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
