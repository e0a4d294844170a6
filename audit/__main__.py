"""`python -m audit`: check an auditor's pack or a receipt, offline, and say the result in plain words.

Exit code 0: verified. 1: refuted. 2: unreadable, or a fault of usage. It writes nothing and asks nobody.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from audit.encoding import to_base64
from audit.errors import AuditError, NoteMalformed
from audit.note import Verifier
from audit.receipt import Receipt
from audit.report import Report
from audit.verify import verify

_VERIFIED: Final = 0
_REFUTED: Final = 1
_UNREADABLE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "verify":
            return _verify(options)
        return _receipt(options)
    except (OSError, UnicodeDecodeError, NoteMalformed) as fault:
        _say(f"Not checked: {fault}")
        return _UNREADABLE


def _verify(options: argparse.Namespace) -> int:
    earlier = None if options.checkpoint is None else _exact_text(options.checkpoint)
    pinned = None if options.key is None else _key(options.key).text
    with Path(options.pack).open("rb") as pack:
        report = verify(pack, pinned_key=pinned, earlier=earlier)
    _say(json.dumps(_as_json(report), indent=2) if options.json else _in_words(report))
    return _VERIFIED if report.verified else _REFUTED


def _receipt(options: argparse.Namespace) -> int:
    verifier = _key(options.key)
    receipt = Receipt.from_text(_exact_text(options.receipt))
    try:
        checkpoint = receipt.verify(verifier)
    except AuditError as fault:
        _say(f"REFUTED: {fault}.")
        return _REFUTED
    _say(
        f"Verified: entry {receipt.index} of {receipt.origin}, with leaf hash {to_base64(receipt.leaf)}, "
        f"is in the log of {checkpoint.size} entries that the key signed."
    )
    return _VERIFIED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit", description="Check audit evidence offline.")
    commands = parser.add_subparsers(dest="command", required=True)
    pack = commands.add_parser("verify", help="check an auditor's pack")
    pack.add_argument("pack", metavar="PACK")
    pack.add_argument("--checkpoint", metavar="FILE", help="a checkpoint kept from an earlier day")
    pack.add_argument("--key", metavar="VKEY|FILE", help="the log's verifier key, from a source you trust")
    pack.add_argument("--json", action="store_true", help="print the report as JSON")
    receipt = commands.add_parser("receipt", help="check one receipt (a tlog-proof)")
    receipt.add_argument("receipt", metavar="FILE")
    receipt.add_argument("--key", metavar="VKEY|FILE", required=True, help="the log's verifier key")
    return parser


def _key(given: str) -> Verifier:
    """Read a verifier key, given as itself or as a file that holds it."""
    try:
        return Verifier.from_text(given)
    except NoteMalformed:
        return Verifier.from_text(_exact_text(given).strip())


def _exact_text(path: str) -> str:
    """Read a text without translating its newlines: they are signed."""
    return Path(path).read_bytes().decode()


def _in_words(report: Report) -> str:
    lines = []
    if report.verified:
        lines.append(f"Verified: {report.size} entries and {report.documents} texts of {report.origin}.")
    else:
        lines.append(f"REFUTED: {_count(report.fault_count, 'fault')} found in this pack.")
    lines += [f"  {'warning' if finding.warning else 'fault'}: {finding}" for finding in report.findings]
    if report.finding_count > len(report.findings):
        lines.append(f"  and {report.finding_count - len(report.findings)} more")
    if report.earlier_size is not None and report.verified:
        lines.append(f"The earlier checkpoint of {report.earlier_size} entries is a part of this log.")
    if report.pinned:
        lines.append(f"Checked with the key you gave: {report.key}")
    elif report.key is not None:
        lines.append("The key came from the pack itself, so this shows only that the pack agrees with itself.")
        lines.append("Compare the key with one from a source you trust, and give it next time:")
        lines.append(f"  --key '{report.key}'")
    return "\n".join(lines)


def _as_json(report: Report) -> dict[str, object]:
    return {
        "verified": report.verified,
        "log": report.origin,
        "size": report.size,
        "root": None if report.root is None else to_base64(report.root),
        "documents": report.documents,
        "key": report.key,
        "key_pinned": report.pinned,
        "earlier_size": report.earlier_size,
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


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
