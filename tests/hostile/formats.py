"""Each way in: a format, the profile that reads it, where it is sent, and a good document with one field to be filled.

The field is raw: what fills it is bytes of the format itself, so that it can break the document around it. `zqx` is in
whatever a test puts there, and must never come back in an answer, a log line or an entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from gateway.demo.incidents import incident
from tests.support import athena, connect, niche

MARK = b"zqx"
"""Stands in hostile values and nowhere else."""

API, JSON, XML, CSV, ZIP, NDJSON = (
    "application/vnd.api+json",
    "application/json",
    "application/xml",
    "text/csv",
    "application/zip",
    "application/x-ndjson",
)
INCIDENTS, BATCHES = "/police/v1/incidents", "/police/v1/batches"


@dataclass(frozen=True, slots=True)
class Format:
    """One way in. `filled(serial, value)` is a whole document whose `path` holds the raw value."""

    name: str
    profile: str
    media: str
    path: str
    filled: Callable[[int, bytes], bytes]

    def good(self, serial: int) -> bytes:
        """A document that is accepted."""
        return self.filled(serial, self.text(b"Shouting was heard."))

    def text(self, value: bytes) -> bytes:
        """A value as the format writes a text, where nothing in it has a meaning in the format."""
        return b'"%s"' % value if self.media in {API, JSON} else value


def _api(serial: int, value: bytes) -> bytes:
    return orjson.dumps(incident(serial, description="HERE")).replace(b'"HERE"', value, 1)


def _plain(serial: int, value: bytes) -> bytes:
    document = athena.investigation(f"04-2026-{serial:06}")
    document["investigation"]["summary"] = "HERE"
    return orjson.dumps(document).replace(b'"HERE"', value, 1)


def _xml(serial: int, value: bytes) -> bytes:
    before, _, rest = niche.text(serial).encode().partition(b"<Narrative>")
    return before + b"<Narrative>" + value + b"</Narrative>" + rest.partition(b"</Narrative>")[2]


def flat(serial: int, value: bytes, delimiter: str = ",", charset: str = "utf-8") -> bytes:
    """A header and one row, whose summary is the raw value."""
    row = connect.flat_row(
        OccurrenceRef=f"04/2026/{serial:06}", LogRef=f"LC-{serial}", Summary="HERE", SceneAddress="Café Row"
    )
    return connect.flat(row, delimiter=delimiter).encode(charset).replace(b"HERE", value, 1)


def exported(serial: int, value: bytes) -> dict[str, bytes]:
    """The files of an export of one incident, whose summary is the raw value, by name."""
    made = connect.export(f"04/2026/{serial:06}")
    made["incidents"][0] |= {"SUMMARY": "HERE", "LOG_REF": f"LC-{serial}", "CRIME_REF": f"04/{serial}/26"}
    files = {f"{name}_20260413.csv": connect.text(rows).encode("cp1252") for name, rows in made.items()}
    return {name: content.replace(b"HERE", value, 1) for name, content in files.items()}


JSON_API = Format("JSON:API", "ihub", API, "data.attributes.incidentDescription", _api)
PLAIN = Format("JSON", "athena", JSON, "investigation.summary", _plain)
NICHE = Format("XML", "niche", XML, "OccurrenceExport.Occurrence.Narrative", _xml)
COMMA = Format("CSV-comma", "flat", CSV, "incidents[0].Summary", flat)
PIPE = Format("CSV-pipe", "flat", CSV, "incidents[0].Summary", lambda n, v: flat(n, v, "|"))
CP1252 = Format("CSV-cp1252", "flat", CSV, "incidents[0].Summary", lambda n, v: flat(n, v, ";", "cp1252"))
EXPORT = Format("zip", "connect", ZIP, "incidents[0].SUMMARY", lambda n, v: connect.packed(exported(n, v)))

TEXTUAL = (JSON_API, PLAIN, NICHE, COMMA, PIPE, CP1252)
FORMATS = (*TEXTUAL, EXPORT)
