"""What the process says on its log: every line is a member of one catalogue.

A line has a level, a text and the fields it may carry; a field outside the list has nowhere to go, so personal data
has no way in (P7). Lines are JSON objects on standard error.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from enum import Enum

import orjson

_logger = logging.getLogger("gateway")


class Line(Enum):
    """Everything the process can say, as (level, text, permitted fields)."""

    STARTED = (logging.INFO, "serving", ("address", "database", "environment"))
    STOPPED = (logging.INFO, "stopped", ())
    BATCH_REFUSED = (
        logging.WARNING,
        "the database refused a batch; its units are tried one by one",
        ("log", "units", "error"),
    )
    BATCH_LOST = (logging.ERROR, "a batch could not be sealed; nothing of it was released", ("log", "units", "error"))
    UNFORESEEN = (logging.ERROR, "a request failed in a way nobody foresaw", ("request", "error", "where"))
    WITNESS_SILENT = (logging.WARNING, "a witness did not cosign", ("log", "witness", "why"))
    WITNESS_LAGS = (logging.ERROR, "a witness has not seen the log for too long", ("log", "witness", "size"))
    WITNESS_DISAGREES = (logging.CRITICAL, "a witness has seen another history", ("log", "witness", "size"))
    AGREEMENT_EXPIRES = (logging.WARNING, "an agreement runs out within days; 0 is now", ("agreement", "days"))
    CERTIFICATE_ENDS = (logging.WARNING, "a certificate runs out within days; 0 is now", ("use", "name", "days"))
    NOT_READY = (logging.WARNING, "not ready", ("check",))
    ROW_SET_ASIDE = (
        logging.WARNING,
        "a row of a batch could not be taken in; it is kept for a human",
        ("batch", "row", "error"),
    )
    BATCH_OPEN = (logging.WARNING, "the end of a broken batch could not be sealed; a duty does it", ("batch", "error"))
    PUSH_FAILED = (logging.WARNING, "a word could not be pushed to a webhook", ("endpoint", "delivery", "why"))
    PUSH_ABANDONED = (logging.ERROR, "an endpoint could not be served; it is tried again", ("endpoint", "error"))
    DELIVERY_FAILED = (logging.WARNING, "a referral did not arrive", ("endpoint", "delivery", "why"))
    DELIVERY_FOR_HUMAN = (
        logging.ERROR,
        "a referral was not delivered; a human has it",
        ("endpoint", "delivery", "why"),
    )
    ENDPOINT_LEFT_ALONE = (logging.WARNING, "an endpoint is left alone for a while", ("endpoint", "failures"))
    MLLP_STARTED = (logging.INFO, "listening for HL7 v2", ("address", "tls"))
    MLLP_STOPPED = (logging.INFO, "listening for HL7 v2 no more", ())
    MLLP_REFUSED = (logging.WARNING, "a connection was not let in, or was ended", ("client", "why"))
    MLLP_GARBAGE = (logging.WARNING, "bytes came that are no message", ("client", "kind", "bytes"))
    MLLP_BROKEN = (logging.ERROR, "a connection ended in a way nobody foresaw", ("error",))
    MESSAGE_FAILED = (
        logging.ERROR,
        "a message failed in a way nobody foresaw; its sender is told to send it again",
        ("request", "error"),
    )
    MAPPING_DRIFT = (
        logging.WARNING,
        "what a client sends has another shape than before",
        ("client", "profile", "kind", "path"),
    )
    MATCHES_OVERDUE = (logging.WARNING, "people who may be one were not decided in time", ("log", "matches"))
    TRACE_FAILED = (logging.WARNING, "PDS did not answer a trace", ("trace", "why"))
    TRACES_OVERDUE = (logging.WARNING, "traces that wait for a person were not decided in time", ("log", "traces"))
    JOB_FAILED = (logging.ERROR, "a job of the timekeeper failed; it is tried again at its turn", ("job", "error"))

    @property
    def fields(self) -> frozenset[str]:
        """The fields the line may carry."""
        return frozenset(self.value[2])


def say(line: Line, **fields: str | int) -> None:
    """Write a line. Raises TypeError for a field the line may not carry."""
    if not fields.keys() <= line.fields:
        raise TypeError(f"{line.name} may carry {sorted(line.fields)} only")
    level, text, _ = line.value
    if _logger.isEnabledFor(level):
        _logger.log(level, text, extra={"line": line.name, "fields": fields})


class JsonLines(logging.Formatter):
    """Formats catalogue lines; of any other library's line only level, logger and exception type come through."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object. Messages of other libraries may hold anything, so they are not repeated."""
        document: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if hasattr(record, "line"):
            document |= {"line": record.line, "text": record.getMessage(), **record.__dict__["fields"]}
        if record.exc_info and record.exc_info[0]:
            document["error"] = record.exc_info[0].__name__
        return orjson.dumps(document).decode()


def configure(level: int = logging.INFO) -> None:
    """Send every library's log through the catalogue's formatter, once; of other libraries from warnings on.

    Without its words, what another library says in passing tells an operator nothing.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _logger.setLevel(level)
