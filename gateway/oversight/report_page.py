"""A report as files: one HTML page that needs nothing else, and a CSV file beside it for each table.

The page has no script and fetches nothing; tables have captions and column headings that a screen reader announces
(WCAG 2.2, 1.3.1).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from audit.entry import timestamp
from gateway.oversight.report import Report
from gateway.oversight.spreadsheet import to_csv


def html(report: Report) -> str:
    """The report as one HTML page; the same report gives the same bytes."""
    return _template().render(report=report, made=timestamp(report.made))


def write_files(report: Report, directory: Path) -> list[Path]:
    """Write the page and the tables into a directory; returns the files, the page first."""
    directory.mkdir(parents=True, exist_ok=True)
    stem = f"{report.agreement}-{report.month}"
    files = {directory / f"{stem}.html": html(report)}
    files |= {directory / f"{stem}-{table.id}.csv": to_csv(table.columns, table.rows) for table in report.tables}
    for path, text in files.items():
        path.write_bytes(text.encode())
    return list(files)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("report.html.j2")
