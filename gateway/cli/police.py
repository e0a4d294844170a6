"""`gateway police send`: a force's export, streamed to a gateway as one batch, or tried on this machine alone.

The gateway is another machine's: this is a client of it, with the client's own key and nothing of the gateway's. The
file is read a piece at a time, however large it is. Only numbers, paths and codes are printed, and no value.

Exit codes: 0 done, rows that wait for a human among them; 1 refused, or a row was not taken in; 2 used wrongly;
3 the gateway, or the key, is not there. A batch that broke off is sent again whole: what was taken in is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gateway.cli import files
from gateway.cli.support import NOT_SET_UP, REFUSED, end, refuse

if TYPE_CHECKING:
    from gateway.demo.client import Client
    from mappings.profile import Profile

app = typer.Typer(no_args_is_help=True, help="What a force's own systems do: send a file of incidents.")

CHUNK = 256 * 1024  # bytes read and sent at once
TIMEOUT_SECONDS = 600  # the gateway reads no faster than it keeps; this is for one piece, not for the file
_BY_SUFFIX: Mapping[str, str] = {
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv",
    ".zip": "application/zip",
}
_ROWS = 1000  # of a page of results


@app.callback()
def police() -> None:
    """Group the commands, though there is one."""


@app.command("send")
def send(
    file: Annotated[Path, typer.Argument(help="NDJSON, CSV, or a zip of related CSV files.")],
    url: Annotated[str | None, typer.Option(help="The gateway's address.")] = None,
    client: Annotated[str | None, typer.Option(help="The client's id at the gateway.")] = None,
    key: Annotated[Path | None, typer.Option(help="The client's private key (PEM).")] = None,
    media_type: Annotated[str | None, typer.Option(help="What the file is, where its name does not say.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="Stands for each row of this file by its number.")] = None,
    profile: Annotated[str | None, typer.Option(help="With --dry-run: a profile's name, or its file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read it on this machine; send nothing.")] = False,
) -> None:
    """Send a file of incidents as one batch, and print what became of it: counts, and each row to look at."""
    media = media_type or _BY_SUFFIX.get(file.suffix.lower())
    if media is None:
        raise typer.BadParameter(f"say what it is, or name it {', '.join(_BY_SUFFIX)}", param_hint="--media-type")
    files.usable(file)
    if dry_run:
        if profile is None:
            raise typer.BadParameter("a trial run needs a profile", param_hint="--profile")
        done = _tried(file, media, profile)
    else:
        if url is None or client is None or key is None:
            raise typer.BadParameter("give --url, --client and --key, or --dry-run", param_hint="--url")
        done = _sent(file, media, _Where(url.rstrip("/"), client, key), idempotency_key)
    typer.echo(", ".join(f"{count} {state}" for state, count in done.items() if count) or "no rows")
    if any(done[state] for state in ("unreadable", "refused", "conflict", "stale")):
        raise typer.Exit(REFUSED)


class _Where(NamedTuple):
    """The gateway, and who asks it."""

    url: str
    client: str
    key: Path


def _sent(file: Path, media: str, where: _Where, idempotency_key: str | None) -> Counter[str]:
    """Send the file, print the rows to look at, and return the counts the gateway gives."""
    import httpx

    from gateway.demo.client import Client

    with Client(where.url, where.client, files.private_key(where.key)) as gateway:
        gateway.http.timeout = httpx.Timeout(TIMEOUT_SECONDS, connect=30)
        _sign_in(gateway)
        headers = {"Content-Type": media, "Content-Length": str(file.stat().st_size)}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        try:
            answer = gateway.post("/police/v1/batches", content=_pieces(file), headers=headers)
        except httpx.HTTPError as broken:
            refuse(f"the connection broke ({type(broken).__name__}): what was taken in is kept; send the file again")
        at = answer.headers.get("Location")
        if at is not None:
            _sign_in(gateway)  # a long file outlives its token
            _print_bad(gateway, at)
        if not answer.is_success:
            refuse(f"{answer.status_code}: {_detail(answer)}")
        return Counter(answer.json()["counts"])


def _sign_in(gateway: Client) -> None:
    import httpx

    try:
        gateway.sign_in()
    except httpx.HTTPStatusError as refused:
        refuse(f"the gateway gave no token: {refused.response.status_code}")
    except httpx.HTTPError as failed:
        end(f"{gateway.base_url} does not answer: {type(failed).__name__}", NOT_SET_UP)


def _pieces(file: Path) -> Iterator[bytes]:
    """The file, a piece at a time, with its progress on standard error where that is a terminal."""
    with (
        file.open("rb") as opened,
        typer.progressbar(length=file.stat().st_size, label=file.name, file=typer.get_text_stream("stderr")) as bar,
    ):
        while piece := opened.read(CHUNK):
            yield piece
            bar.update(len(piece))


def _print_bad(gateway: Client, at: str) -> None:
    """Print the rows to look at, page by page."""
    after, more = 0, True
    while more:
        page = gateway.get(f"{at}/rows", params={"state": "bad", "after": str(after), "limit": str(_ROWS)}).json()
        for row in page["rows"]:
            where = [row["row"], row["line"], row["state"], [(one["path"], one["code"]) for one in row["problems"]]]
            _print_row(*where)
        after, more = page["next"], page["more"]


def _print_row(number: int, line: int | None, state: str, problems: list[tuple[str, str]]) -> None:
    place = f"row {number}" if line is None else f"row {number}, line {line}"
    why = "; ".join(f"{path}: {code}" if path else code for path, code in problems)
    typer.echo(f"{place}\t{state}\t{why}")


def _tried(file: Path, media: str, name: str) -> Counter[str]:
    """Read every row here; print those that cannot be read, and return the counts."""
    from adapters.batch import Broken, splitter
    from adapters.socket import Limits, Unreadable, reader

    profile, limits = _profile(name), Limits()
    try:
        cutting = splitter(media, profile, limits)
    except LookupError as unknown:
        refuse(str(unknown))
    reading, found = reader(profile.adapter), Counter[str]()

    def look(pieces: Iterator[Any]) -> None:
        for piece in pieces:
            try:
                if isinstance(piece, Broken):
                    raise Unreadable(piece.problem)  # noqa: TRY301 - told as any other
                reading.read(piece.body, profile, limits)
                found["readable"] += 1
            except Unreadable as unreadable:
                found["unreadable"] += 1
                problems = [(one.path, one.fault.value) for one in unreadable.problems]
                _print_row(piece.number, piece.line, "unreadable", problems)

    for chunk in _pieces(file):
        look(cutting.feed(chunk))
    look(cutting.close())
    return found


def _profile(name: str) -> Profile:
    """The profile of a name that ships, or of a file."""
    from mappings.profile import ProfileInvalid, load, profile, profiles

    try:
        return load(Path(name)) if name not in profiles() else profile(name)
    except ProfileInvalid as invalid:
        refuse(f"{name}: {invalid}")
    except OSError as failed:
        files.refuse_file(name, failed)


def _detail(answer: Any) -> str:  # noqa: ANN401 - an answer of httpx
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return "refused"
