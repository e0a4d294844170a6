"""A mapping profile: how one outside system says what a record says, as rows of data, and the reading of a tree by it.

A row is *from, to, transform, required*, and the code map where the transform wants one. Rows have no conditions: where
one is needed it is a named transform, tested as such. A profile is loaded strictly (`profilefile`), its bytes and those
of its code maps are hashed, and the hash goes into every record it read (P4).

Applying a profile is pure. It releases nothing and decides nothing; it reads, and counts what it did not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from mappings import quality, thirdparty
from mappings.links import Link
from mappings.markup import PLAIN, Markup
from mappings.profilefile import ProfileInvalid, compiled
from mappings.reading import Fault, Problem, Reading, Unreadable
from mappings.record import Record
from mappings.rows import Built, Run
from mappings.shape import Shape
from mappings.sweep import Sweep
from mappings.tables import Tables
from mappings.tree import Trail, Value, rendered

__all__ = ["Profile", "ProfileInvalid", "load", "profile", "profiles"]

_ROOM = Path(__file__).parent
_SIDES = ("police", "nhs")
_MAX_FINDINGS = 200  # a document of 20,000 elements must not become a record of 20,000 remarks


@dataclass(frozen=True, slots=True)
class Profile:
    """A loaded profile.

    `adapter` is the reader it is written for (`police.json`). `version` is "" where the file says none; `valid_from`
    and `valid_until` are its first and last day, None where it has none. `files` gives the hex SHA-256 of each file it
    was made from, its own first; `hash` is the hex SHA-256 of those lines as `sha256sum` prints them, so that anybody
    can derive it again from the files. `identity` are the members of a part that name it, `links` say which
    values of nested JSON name a part of it, `markup` is how XML is read.
    """

    name: str
    title: str
    adapter: str
    hash: str
    files: Mapping[str, str]
    shape: Shape = field(repr=False)
    version: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    links: tuple[Link, ...] = ()
    tables: Tables | None = None
    identity: tuple[str, ...] = ()
    markup: Markup = field(default=PLAIN, repr=False)

    def is_valid(self, at: date) -> bool:
        """Whether it is valid on a day."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at <= self.valid_until
        )

    @property
    def listing(self) -> bytes:
        """The text whose SHA-256 is `hash`: a line for each file, as `sha256sum` prints it."""
        return "".join(f"{digest}  {name}\n" for name, digest in self.files.items()).encode()

    def apply(self, root: dict[str, Value], notes: tuple[tuple[Trail, str], ...] = ()) -> Reading:
        """Read a tree into a record. `notes` are findings of the adapter, as (path, code).

        Raises `Unreadable` with every problem found, where a required value is missing or unreadable.
        """
        run = Run(findings=list(notes))
        out: Built = {}
        self.shape.read(root, "", run, out, {})
        if run.problems:
            raise Unreadable(*run.problems)
        self._sign(out, run)
        _ordered(out)
        thirdparty.separate(out)
        # Who stands in most roles comes last: a part that only leads to a person knows one role of theirs.
        same = sorted((refs.values() for refs in run.refs.values()), key=len)
        quality.settle(out, run.findings, same)
        out["quality"] = _listed(run.findings)
        try:
            record = Record.model_validate(out)
        except ValidationError as exc:
            raise Unreadable(*(Problem(_where(e["loc"]), Fault.WRONG_TYPE) for e in exc.errors())) from exc
        sweep = Sweep(run.visited)
        sweep.over(root)
        sweep.attached(run.attachments)
        return Reading(record, tuple(sweep.losses), sweep.lost, sweep.ignored, sweep.leaves, root)

    def _sign(self, out: Built, run: Run) -> None:
        """Say in the record how it was read; a source without its organisation is no source."""
        source = out.get("source", {})
        if "organisation" in source:
            source.update(adapter=self.adapter, profile=self.name, profile_hash=self.hash)
        else:
            out.pop("source", None)
            run.findings.append(("source.organisation", "missing"))


def load(path: Path) -> Profile:
    """Load a profile file. Raises `ProfileInvalid` naming the file and the key."""
    made = compiled(path)
    return Profile(
        name=made.name,
        title=made.title,
        adapter=made.adapter,
        hash=made.hash,
        files=made.files,
        shape=made.shape,
        identity=made.identity,
        markup=made.markup,
        version=made.version,
        valid_from=made.valid_from,
        valid_until=made.valid_until,
        links=made.links,
        tables=made.tables,
    )


@cache
def profile(name: str) -> Profile:
    """A profile that ships with the product, by name. Raises `ProfileInvalid`."""
    if name not in profiles():
        raise ProfileInvalid(f"no profile is called {name!r}; there are {', '.join(profiles())}")
    return next(load(p) for p in _shipped() if p.stem == name)


@cache
def profiles() -> tuple[str, ...]:
    """The names of the profiles that ship with the product, sorted."""
    return tuple(sorted(p.stem for p in _shipped()))


def _shipped() -> list[Path]:
    return [p for side in _SIDES for p in sorted((_ROOM / side).glob("*.toml"))]


def _ordered(out: Built) -> None:
    """Put in order what rows gathered in the order of the document's members, which means nothing in JSON."""
    for name, word in (("references", "type"), ("statements", "topic")):
        if name in out:
            out[name].sort(key=lambda part: str(part.get(word)))
    for whole in (out, *out.get("people", ())):
        for name in ("flags", "needs", "safety_warnings"):
            if name in whole:
                whole[name].sort()
        for name, word in (("names", "use"), ("identifiers", "system")):
            if name in whole:
                whole[name].sort(key=lambda part: str(part.get(word)))


def _listed(findings: list[tuple[Trail, str]]) -> list[dict[str, str]]:
    listed = [{"path": rendered(path), "code": code} for path, code in findings[:_MAX_FINDINGS]]
    if len(findings) > _MAX_FINDINGS:
        listed.append({"path": "quality", "code": "more-findings"})
    return listed


def _where(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc).lstrip(".")
