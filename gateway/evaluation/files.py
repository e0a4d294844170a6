"""A report as files: one printable page that needs nothing else, a PDF, a CSV file for each table, pictures, FHIR.

    page     HTML with its pictures in it; no script, nothing fetched
    pdf      the same words and tables on A4
    csv_of   one table, safe against spreadsheet formulas
    write    all of it into a directory

The same report gives the same bytes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from audit.entry import timestamp
from gateway.evaluation.charts import charts
from gateway.evaluation.measure import bundle
from gateway.evaluation.report import Report
from gateway.evaluation.sheets import Sheet, count_words, sheets
from gateway.oversight.spreadsheet import to_csv
from gateway.paper.tree import Block, Heading, Table, Text, document

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do with the page: show it."""


def page(report: Report) -> str:
    """The report as one HTML page."""
    return _template().render(
        report=report,
        made=timestamp(report.made),
        policy=POLICY,
        counted=count_words(report),
        sheets=sheets(report),
        charts={name: svg.decode() for name, svg in charts(report).items()},
    )


def pdf(report: Report) -> bytes:
    """The report on A4: its tables, which say what the pictures show."""
    from gateway.paper import pdf as paper_pdf  # noqa: PLC0415 - 150 ms of every start that only this answer needs

    blocks: list[Block] = [Text(_head(report))]
    for sheet in sheets(report):
        blocks += [Heading(2, sheet.title), Text(sheet.words), _on_paper(sheet)]
    mark = f"{report.agreement} version {report.version}, {report.period}"
    return paper_pdf.write(document(f"Evaluation: {report.title}", mark, blocks))


def csv_of(sheet: Sheet) -> str:
    """One table as CSV: a number to a cell."""
    return to_csv(*(sheet.long or (sheet.columns, sheet.rows)))


def write(report: Report, directory: Path, namespace: str) -> list[Path]:
    """Write everything into a directory; returns the files, the page first."""
    directory.mkdir(parents=True, exist_ok=True)
    stem = f"{report.agreement}-evaluation-{report.period.starts}-{report.period.until}"
    found = {f"{stem}.html": page(report).encode(), f"{stem}.pdf": pdf(report)}
    found |= {f"{stem}-{sheet.id}.csv": csv_of(sheet).encode() for sheet in sheets(report)}
    found |= {f"{stem}-{name}.svg": svg for name, svg in charts(report).items()}
    found[f"{stem}.fhir.json"] = orjson.dumps(bundle(report, namespace), option=orjson.OPT_INDENT_2)
    found[f"{stem}.json"] = orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2)
    for name, content in found.items():
        (directory / name).write_bytes(content)
    return [directory / name for name in found]


def _head(report: Report) -> str:
    return (
        f"Of the quarters from {report.period.starts} up to {report.period.until}, made {timestamp(report.made)} for "
        f"the recipient {report.recipient} of the agreement {report.agreement}, version {report.version}, "
        f"SHA-256 {report.hash}. {count_words(report)}"
    )


def _on_paper(sheet: Sheet) -> Table:
    """A table as paper has it: what is wide is turned, so that quarters go down."""
    if len(sheet.columns) <= _WIDE:
        return Table(sheet.title, sheet.columns, tuple(tuple((cell,) for cell in row) for row in sheet.rows))
    head = ("Quarter", *(row[0] for row in sheet.rows))
    turned = zip(sheet.columns[1:], *(row[1:] for row in sheet.rows), strict=True)
    return Table(sheet.title, head, tuple(tuple((cell,) for cell in row) for row in turned))


_WIDE = 6


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("gateway.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
