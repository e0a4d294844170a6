"""`python -m audit witness`: the program a force, a trust or an auditor runs to witness a gateway's logs.

`keygen` makes its key, `serve` answers logs that ask (C2SP tlog-witness), `watch` asks a gateway itself. It needs no
room but this one.

Exit code 0: done. 1: refused, the log shows two histories or has shrunk. 2: it could not be asked or read, or a fault
of usage.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.encoding import from_base64, to_base64
from audit.errors import AuditError, NoteMalformed, WitnessFault
from audit.note import Cosigner, Verifier
from audit.witness import log_keys
from audit.witness_client import ClientKey, GatewayClient
from audit.witness_server import WitnessServer, tls_context
from audit.witness_state import Witness
from audit.witness_watch import Disagreement, watch_once

_DONE: Final = 0
_REFUSED: Final = 1
_NOT_DONE: Final = 2
_PRIVATE: Final = 0o600
_SEED_BYTES: Final = 32  # RFC 8032
_HEADER: Final = "provide.audit/witness-key@v1"


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "keygen":
            return _keygen(options)
        witness = Witness(
            _read_key(Path(options.key)), log_keys([_log(one) for one in options.log]), Path(options.state)
        )
        return _serve(options, witness) if options.command == "serve" else _watch(options, witness)
    except Disagreement as found:
        _say(f"REFUSED: {found}. Nothing was cosigned. Both checkpoints are kept in {found.evidence}")
        return _REFUSED
    except (OSError, UnicodeDecodeError, AuditError) as fault:
        _say(f"Not done: {fault}")
        return _NOT_DONE
    except KeyboardInterrupt:
        return _DONE


def _keygen(options: argparse.Namespace) -> int:
    private = Ed25519PrivateKey.generate()
    cosigner = Cosigner.of(options.name, private)
    handle = os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{_HEADER}\n{options.name}\n{to_base64(private.private_bytes_raw())}\n")
        file.flush()
        os.fsync(file.fileno())
    _say(cosigner.verifier.text)
    return _DONE


def _serve(options: argparse.Namespace, witness: Witness) -> int:
    if (options.tls_cert is None) != (options.tls_key is None):
        raise WitnessFault("give --tls-cert and --tls-key together")
    tls = None if options.tls_cert is None else tls_context(Path(options.tls_cert), Path(options.tls_key))
    host, _, port = options.listen.rpartition(":")
    if not host or not port.isdecimal():
        raise WitnessFault("--listen is HOST:PORT")
    with WitnessServer((host, int(port)), witness, tls) as server:
        _say(f"{witness.cosigner.verifier.text}\nlistening on {host}:{server.server_address[1]}")
        server.serve_forever()
    return _DONE


def _watch(options: argparse.Namespace, witness: Witness) -> int:
    (verifier,) = witness.logs.values()
    key = ClientKey(Path(options.client_key).read_bytes())
    log = GatewayClient(options.url, options.log_id, options.client, key, options.client_key_id)
    while True:
        try:
            granted = watch_once(witness, verifier, log)
        except WitnessFault as fault:
            if options.every is None:
                raise
            _say(f"Not done, and tried again in {options.every} s: {fault}")
        else:
            _say(f"Cosigned: {granted.checkpoint.origin} with {granted.checkpoint.size} entries.")
        if options.every is None:
            return _DONE
        time.sleep(options.every)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m audit witness", description="Witness a log: cosign it as long as it keeps one history."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    keygen = commands.add_parser("keygen", help="make a witness's key and print its verifier key")
    keygen.add_argument("--name", required=True, help="a schema-less URL that names the witness, as trust.example/w1")
    keygen.add_argument("--out", metavar="FILE", required=True, help="where the private key goes; never overwritten")
    serve = commands.add_parser("serve", help="answer logs that ask (C2SP tlog-witness)")
    watch = commands.add_parser("watch", help="ask a gateway and hand the cosignature in")
    for one in (serve, watch):
        one.add_argument("--key", metavar="FILE", required=True, help="the witness's private key")
        one.add_argument("--state", metavar="DIR", required=True, help="where what was seen is kept")
    serve.add_argument("--log", metavar="VKEY|FILE", action="append", required=True, help="a log's key; repeat")
    serve.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:8090", help="port 0 takes a free one")
    serve.add_argument("--tls-cert", metavar="FILE", help="certificate chain, PEM")
    serve.add_argument("--tls-key", metavar="FILE", help="its private key, PEM")
    watch.add_argument(
        "--log", metavar="VKEY|FILE", nargs=1, required=True, help="the log's key, from a source you trust"
    )
    watch.add_argument("--url", required=True, help="the gateway's public address")
    watch.add_argument("--log-id", required=True, help="the log: an agreement's id, or `operator`")
    watch.add_argument("--client", required=True, help="the client id the gateway's operator gave")
    watch.add_argument("--client-key", metavar="PEM", required=True, help="the client's private key")
    watch.add_argument("--client-key-id", metavar="KID", help="which of the client's keys, where it has several")
    rhythm = watch.add_mutually_exclusive_group()
    rhythm.add_argument("--once", action="store_true", help="one round, then end (the default)")
    rhythm.add_argument("--every", metavar="SECONDS", type=_seconds, help="a round, a pause, and again until stopped")
    return parser


def _seconds(text: str) -> int:
    seconds = int(text)
    if seconds < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return seconds


def _log(given: str) -> Verifier:
    """Read a log's verifier key, given as itself or as a file that holds it."""
    try:
        return Verifier.from_text(given)
    except NoteMalformed:
        path = Path(given)
        if not path.exists():
            raise
        return Verifier.from_text(path.read_text(encoding="utf-8").strip())


def _read_key(path: Path) -> Cosigner:
    if path.stat().st_mode & 0o077:
        raise WitnessFault("the witness's key can be read by others: chmod 600 it")
    lines = path.read_text(encoding="utf-8").split("\n")
    if len(lines) != 4 or lines[0] != _HEADER or lines[3]:  # noqa: PLR2004 - header, name, seed, nothing
        raise WitnessFault("the key file is not one that `keygen` made")
    seed = from_base64(lines[2])
    if len(seed) != _SEED_BYTES:
        raise WitnessFault("the key file's key is damaged")
    return Cosigner.from_seed(lines[1], seed)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
