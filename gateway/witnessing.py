"""Collecting cosignatures: what a witness hands in is verified and kept, and witnesses with an address are asked.

A cosignature counts for a checkpoint that this log really had: the log's own signature is on it, and the stored tree
has its root at its size. A witness that has seen another history, or more than there is here, raises the alarm: either
this database was put back, or somebody else holds the log's key. Keeping a cosignature is no entry: an entry for each
would leave every witness one behind for ever.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import groupby

import httpx
from sqlalchemy.exc import InterfaceError, OperationalError

from audit import sql as log_sql
from audit.checkpoint import Checkpoint
from audit.encoding import decimal
from audit.errors import NoteMalformed, SignatureInvalid
from audit.note import CosignerVerifier, Verifier, keep, split
from audit.witness import Submission
from gateway.errors import Unprocessable, Unreachable, WitnessDisagrees
from gateway.evidence import OPERATOR_LOG
from gateway.logs import Line, say
from gateway.services import Services
from gateway.witnesses import WITNESSES_MAX, Alarm, Condition, Standing, Witness, alarms, standings, witnesses

ANSWER_MAX_BYTES = 65_536
TIMEOUT_SECONDS = 5.0
ANSWER_MAX_SECONDS = 10.0  # for one answer as a whole: a witness that drips bytes is cut off
_ATTEMPTS = 3
_OK, _CONFLICT, _UNPROCESSABLE = 200, 409, 422  # C2SP tlog-witness "add-checkpoint"
_SIZE = "text/x.tlog.size"


def accept(services: Services, log_id: str, note: str) -> list[Witness]:
    """Verify a checkpoint of this log with cosignatures, and keep those; returns the witnesses they are of.

    Raises Unprocessable where the note is none of this log or no registered witness cosigned it, WitnessDisagrees
    where the log signed it and is another now, and Unreachable. It waits for the database: not for an event loop.
    """
    verifier = services.signer(log_id).verifier
    try:
        checkpoint = Checkpoint.open(note, verifier)
        with services.database.reading() as connection:
            found = _verified(note, verifier, witnesses(connection, log_id))
    except (NoteMalformed, SignatureInvalid) as fault:
        raise Unprocessable(f"not a checkpoint of this log with cosignatures of its witnesses: {fault}") from None
    if not found or checkpoint.extensions:
        raise Unprocessable("no registered witness of this log cosigned this checkpoint")
    latest = datetime.now(UTC).timestamp() + services.settings.clock_skew_seconds
    if any(one.time > latest for one in found.values()):
        raise Unprocessable("a cosignature is dated in the future: the witness's clock is wrong")
    with services.database.reading() as connection:
        size = log_sql.read_head(connection, log_id).size
        same = checkpoint.size <= size and log_sql.root_at(connection, log_id, checkpoint.size) == checkpoint.root
        begun = alarms(connection, list(found))
    if not same:
        for one in found:
            raise_alarm(services, one, Condition.DISAGREES, checkpoint.size)
        raise WitnessDisagrees("the log signed this checkpoint, and its entries are others now")
    try:
        with services.database.writing() as connection:
            for cosignature in found.values():
                log_sql.keep_cosignature(connection, log_id, cosignature)
    except (OperationalError, InterfaceError) as error:
        raise Unreachable("the database does not answer", headers={"Retry-After": "1"}) from error
    for one, cosignature in found.items():
        since = begun.get((one, Condition.DISAGREES))
        if since is not None and cosignature.time > since.timestamp():
            end_alarm(services, one, Condition.DISAGREES, checkpoint.size)
    return list(found)


class Collector:
    """Asks the witnesses that have an address (C2SP tlog-witness) and watches how far all of them have seen."""

    def __init__(self, services: Services, transport: httpx.BaseTransport | None = None) -> None:
        self._services = services
        self._transport = transport

    def round(self, now: datetime) -> list[Standing]:
        """Ask every witness that is behind, side by side, then raise and end alarms. Returns where each stands."""
        with self._services.database.reading() as connection:
            registered = witnesses(connection)
        asked = [one for one in registered if one.url]
        if asked:
            # A thread each: a witness that does not answer holds up none of the others.
            with ThreadPoolExecutor(min(len(asked), WITNESSES_MAX), thread_name_prefix="witness") as pool:
                list(pool.map(self._ask, asked))
        found: list[Standing] = []
        limit = self._services.settings.witness_lag_seconds
        for log_id, _ in groupby(registered, key=lambda one: one.log_id):
            with self._services.database.reading() as connection:
                standing = standings(connection, log_id, now, limit)
                begun = alarms(connection, [one.witness for one in standing])
            for one in standing:
                lags = one.lag_seconds > limit
                if lags and (one.witness, Condition.LAGS) not in begun:
                    raise_alarm(self._services, one.witness, Condition.LAGS, one.last.size if one.last else 0)
                elif not lags and (one.witness, Condition.LAGS) in begun:
                    end_alarm(self._services, one.witness, Condition.LAGS, one.last.size if one.last else 0)
            found += standing
        return found

    def _ask(self, witness: Witness) -> None:
        """Have one witness cosign the log as it stands now; whatever comes of it ends here."""
        try:
            answer = self._submit(witness)
        except Exception as error:  # noqa: BLE001 - one witness's fault must not keep the others from being watched
            say(Line.WITNESS_SILENT, log=witness.log_id, witness=witness.name, why=type(error).__name__)
        else:
            if answer != _OK:
                say(Line.WITNESS_SILENT, log=witness.log_id, witness=witness.name, why=f"status {answer}")

    def _submit(self, witness: Witness) -> int:
        """Submit the checkpoint, following the size the witness says it has seen; returns the last status."""
        services, log_id = self._services, witness.log_id
        with services.database.reading() as connection:
            last = log_sql.latest_cosignatures(connection, log_id).get(witness.key)
        old = last.size if last else 0
        status = _OK
        for _ in range(_ATTEMPTS):
            with services.database.reading() as connection:
                head = log_sql.read_head(connection, log_id)
                proof = log_sql.consistency(connection, log_id, old, head.size) if old <= head.size else []
            if last is not None and last.size == head.size:
                break
            if old > head.size:  # read after the witness spoke: it has seen what is not here
                raise_alarm(services, witness, Condition.DISAGREES, old)
                break
            status, media, text = self._post(witness, Submission(old, tuple(proof), head.checkpoint))
            if status == _OK:
                accept(services, log_id, head.checkpoint + text)
            elif status == _UNPROCESSABLE:
                raise_alarm(services, witness, Condition.DISAGREES, old)
            if status != _CONFLICT or media != _SIZE:
                break
            old = decimal(text.removesuffix("\n"))
        return status

    def _post(self, witness: Witness, given: Submission) -> tuple[int, str, str]:
        """One `add-checkpoint`: status, media type and text. Raises httpx.HTTPError."""
        until = time.monotonic() + ANSWER_MAX_SECONDS
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, transport=self._transport) as client,
            client.stream("POST", f"{witness.url}/add-checkpoint", content=given.to_bytes()) as answer,
        ):
            read = b""
            for chunk in answer.iter_bytes():
                read += chunk
                if len(read) > ANSWER_MAX_BYTES or time.monotonic() > until:
                    raise httpx.ReadError("the witness's answer is too long")
            media = answer.headers.get("content-type", "").partition(";")[0].strip()
            return answer.status_code, media, read.decode("utf-8", "replace")


def raise_alarm(services: Services, witness: Witness, condition: Condition, size: int) -> None:
    """Seal that a condition begins, and say so on the process log, once. `size` is how far the witness has seen."""
    unit = Alarm(witness, condition, begins=True, size=size)
    if not services.journals.of(OPERATOR_LOG).submit_and_wait(unit).value:
        return
    if condition is Condition.LAGS:
        say(Line.WITNESS_LAGS, log=witness.log_id, witness=witness.name, size=size)
    else:
        say(Line.WITNESS_DISAGREES, log=witness.log_id, witness=witness.name, size=size)


def end_alarm(services: Services, witness: Witness, condition: Condition, size: int) -> None:
    """Seal that a condition has ended."""
    services.journals.of(OPERATOR_LOG).submit_and_wait(Alarm(witness, condition, begins=False, size=size))


def _verified(note: str, verifier: Verifier, known: Sequence[Witness]) -> dict[Witness, log_sql.Cosignature]:
    """The cosignatures of known witnesses on a note; raise `SignatureInvalid` where one of them is wrong."""
    text, signatures = split(note)
    kept = keep(note, verifier)
    size = Checkpoint.from_text(text).size
    keys = [(one, CosignerVerifier.from_text(one.key)) for one in known]
    by_line = {(key.name, key.key_id): (one, key) for one, key in keys}
    found: dict[Witness, log_sql.Cosignature] = {}
    for signature in signatures:
        match = by_line.get((signature.name, signature.key_id))
        if match is not None:
            one, key = match
            seconds = key.verify(text, signature.raw)
            found[one] = log_sql.Cosignature(one.key, size, seconds, kept, signature.line)
    return found
