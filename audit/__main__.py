"""`python -m audit`: check an auditor's pack or a receipt, offline, and say the result in plain words.

Exit code 0: verified. 1: refuted. 2: unreadable, or a fault of usage. It writes nothing and asks nobody.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from audit.encoding import to_base64
from audit.errors import AuditError, NoteMalformed
from audit.note import CosignerVerifier, Verifier
from audit.progress import Bar
from audit.receipt import Receipt
from audit.verify import verify
from audit.words import as_json, in_words

_VERIFIED: Final = 0
_REFUTED: Final = 1
_UNREADABLE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["witness"]:
        from audit.witness_main import main as witness  # noqa: PLC0415 - verifying needs neither network nor file locks

        return witness(given[1:])
    options = _parser().parse_args(given)
    try:
        if options.command == "verify":
            return _verify(options)
        return _receipt(options)
    except OSError as failed:
        _say(f"Not checked: {failed.filename}: {failed.strerror}" if failed.filename else f"Not checked: {failed}")
    except (UnicodeDecodeError, NoteMalformed) as fault:
        _say(f"Not checked: {fault}")
    except BrokenProcessPool:
        _say("Not checked: a process of this program was ended from outside. Try again, or with --jobs 1.")
    return _UNREADABLE


def _verify(options: argparse.Namespace) -> int:
    bar = None if options.quiet else Bar(sys.stderr)
    with Path(options.pack).open("rb") as pack:
        report = verify(
            pack,
            pinned_key=None if options.key is None else _key(options.key).text,
            earlier=None if options.checkpoint is None else _exact_text(options.checkpoint),
            witnesses=[key for given in options.witness for key in _cosigners(given)],
            jobs=options.jobs,
            progress=(lambda _done, _of: None) if bar is None else bar.show,
        )
    if bar is not None:
        bar.wipe()
    _say(json.dumps(as_json(report), indent=2) if options.json else in_words(report))
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
    pack.add_argument(
        "--witness",
        metavar="VKEY|FILE",
        action="append",
        default=[],
        help="the key of a witness that must have cosigned, from a source you trust; may be given again",
    )
    pack.add_argument(
        "--jobs", metavar="N", type=int, default=os.cpu_count() or 1, help="processes to use; as many as cores if unset"
    )
    pack.add_argument("--quiet", action="store_true", help="draw no progress bar")
    pack.add_argument("--json", action="store_true", help="print the report as JSON")
    receipt = commands.add_parser("receipt", help="check one receipt (a tlog-proof)")
    receipt.add_argument("receipt", metavar="FILE")
    receipt.add_argument("--key", metavar="VKEY|FILE", required=True, help="the log's verifier key")
    commands.add_parser("witness", help="witness a log: keygen, serve, watch", add_help=False)
    return parser


def _key(given: str) -> Verifier:
    """Read a verifier key, given as itself or as a file that holds it."""
    try:
        return Verifier.from_text(given)
    except NoteMalformed:
        return Verifier.from_text(_exact_text(given).strip())


def _cosigners(given: str) -> list[str]:
    """Return the texts of witnesses' keys, given as one key or as a file with one on each line."""
    try:
        return [CosignerVerifier.from_text(given).text]
    except NoteMalformed:
        return [CosignerVerifier.from_text(line.strip()).text for line in _exact_text(given).splitlines()]


def _exact_text(path: str) -> str:
    """Read a text without translating its newlines: they are signed."""
    return Path(path).read_bytes().decode()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
