"""What reading a document costs, from bytes to a record, in this process: one row for each format.

Delimited text is given in rows a second, cut from a batch and read: `read_csv_flat` has a whole incident of 41 cells in
each row, `read_csv_related` spreads one over 21 rows of thirteen files.

No database, no decision, no encryption; processor time, for reading waits for nothing. Each figure is the median of
rounds over one document; the one of 30 KiB has some 830 leaves, the others some 120, and the notice is a FHIR Bundle of
seven resources.
"""

from __future__ import annotations

import json
import time

from adapters.batch import Part, splitter
from adapters.socket import Limits, reader
from gateway.demo.incidents import incident
from mappings.profile import profile
from tests.bench.figures import MICROSECONDS, PER_SECOND, Row, middle
from tests.support import bundles, connect, niche
from tests.support.athena import investigation

ROUND_BYTES = 600_000  # a round reads so much: 200 documents of 3 KB, 20 of 30
ROUNDS = 11

DOCUMENTS = {
    "read_json_api": ("ihub", json.dumps(incident(1)).encode()),
    "read_plain_json": ("athena", json.dumps(investigation()).encode()),
    "read_xml_30k": ("niche", niche.large()),
    "read_fhir_notice": ("notice", bundles.body(bundles.bundle(1, children=True))),
}
"""A document by the name of its figure, with the profile that reads it."""


INCIDENTS = 200
"""Incidents of a CSV round."""


def measure() -> list[Row]:
    """Microseconds for each document, and rows of delimited text a second, of which some are whole incidents."""
    documents = [
        Row(name, "none", middle([_each(of, body) for _ in range(ROUNDS)]), MICROSECONDS)
        for name, (of, body) in DOCUMENTS.items()
    ]
    return [*documents, _flat(), _related()]


def _flat() -> Row:
    body = connect.flat(*(connect.flat_row(OccurrenceRef=f"04/{n}") for n in range(INCIDENTS))).encode("cp1252")
    rates = [_rows("flat", "text/csv", body, INCIDENTS) for _ in range(ROUNDS)]
    return Row("read_csv_flat", "none", middle(rates), PER_SECOND)


def _related() -> Row:
    made = connect.together(*(connect.export(f"04/{n}") for n in range(INCIDENTS)))
    body, rows = connect.zipped(made), sum(map(len, made.values()))
    rates = [_rows("connect", "application/zip", body, rows) for _ in range(ROUNDS)]
    return Row("read_csv_related", "none", middle(rates), PER_SECOND)


def _rows(name: str, media_type: str, body: bytes, rows: int) -> float:
    """Rows a second from a batch to its records: cut, then read."""
    used, limits = profile(name), Limits()
    read = reader(used.adapter).read
    began = time.process_time()
    cut = splitter(media_type, used, limits)
    for piece in (*cut.feed(body), *cut.close()):
        assert isinstance(piece, Part)
        read(piece.body, used, limits)
    return rows / (time.process_time() - began)


def _each(name: str, body: bytes) -> float:
    used, limits = profile(name), Limits()
    read = reader(used.adapter).read
    readings = ROUND_BYTES // len(body)
    began = time.process_time()
    for _ in range(readings):
        read(body, used, limits)
    return (time.process_time() - began) / readings * 1e6
