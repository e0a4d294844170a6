"""The document people sign, as a tree of headings, texts and tables, made from the content of an agreement alone.

Everything in the content is in the document: what the parts below do not set out for themselves is set out key by key,
so that nothing the gateway enforces is missing from what was signed. Codes stand beside their words. The writers
(`html.py`, `pdf.py`) add form and nothing else. The same content gives the same tree.

Source: design.md section 6 (a readable rendering); domain.md section 3.7 (what a data sharing agreement contains).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway import rules
from gateway.agreement import Agreement, phrases
from gateway.paper import tree
from gateway.paper.rows import Names, columns, duration, rows_of, section
from gateway.paper.tree import Block, Cell, Heading, Table, Text


def document(agreement: Agreement, signed: Mapping[str, str] | None = None) -> tree.Document:
    """The document of an agreement. `signed` says, for each party that signed, when; None leaves room for a hand."""
    content: dict[str, Any] = json.loads(agreement.canonical)
    names = Names(content)
    blocks = (*_front(content, agreement.hash, names), *_body(content, names), *_end(content, agreement, signed, names))
    mark = f"{agreement.id} version {agreement.version}, SHA-256 {agreement.hash}"
    return tree.document(str(content["title"]), mark, blocks)


def _front(content: Mapping[str, Any], hash_: str, names: Names) -> Iterator[Block]:
    about = {key: content[key] for key in ("id", "version", "format", "in_force", "review_by", "owner")}
    rows = tuple(rows_of(about, names))
    yield Table("This agreement", ("What", "As agreed"), (*rows, (("Hash (SHA-256)",), (hash_,))))
    yield Text(
        "The parties sign the hash above. It is computed over everything in this document that comes from the "
        f"agreement's file, and `gateway agreement check FILE` prints it: where both are {hash_}, the file that the "
        "gateway enforces and this document say the same."
    )
    yield Heading(2, "Purpose")
    yield Text(str(content["purpose"]))
    yield Heading(2, "References")
    yield Table("Where else this is written down", ("What", "Where"), tuple(rows_of(content["references"], names)))


def _body(content: Mapping[str, Any], names: Names) -> Iterator[Block]:
    yield from _people(content, names)
    if "data" in content:
        yield from _data(content["data"], names)
    yield Heading(2, "Flows and clauses")
    yield Text(
        "Nothing is shared unless a clause below names it, for that recipient, under conditions that are met. An item "
        "that no clause names is withheld. Where two clauses apply, the stricter wins."
    )
    for flow in content["flows"]:
        yield from _flow(flow, content, names)
    yield from _limits(content, names)
    yield from _time(content, names)
    for key, value in content.items():
        if key not in _SET_OUT:
            yield from section(2, key, value, names)


_SET_OUT = frozenset(
    {"format", "id", "version", "title", "purpose", "in_force", "review_by", "references", "areas", "parties"}
    | {"other_organisations", "contacts", "owner", "data", "recipients", "flows", "clauses", "holds", "prohibitions"}
    | {"clocks", "retention"}
)
"""The keys that have a place of their own; every other is set out key by key."""


# People and data


def _people(content: Mapping[str, Any], names: Names) -> Iterator[Block]:
    yield Heading(2, "Parties")
    for party in content["parties"]:
        yield Table(f"Party: {party['name']}", ("What", "As agreed"), tuple(rows_of(party, names)))
    for one in content.get("other_organisations", ()):
        yield Table(f"Other organisation: {one['name']}", ("What", "As agreed"), tuple(rows_of(one, names)))
    yield Heading(2, "Named people")
    yield columns("Contacts", content["contacts"], ("name", "post", "party", "email", "id"), names)
    yield Heading(2, "Areas and recipients")
    areas = tuple(((str(name),), (str(id_),)) for id_, name in content["areas"].items())
    yield Table("Areas of the agreement", ("Area", "Name in this agreement"), areas)
    for one in content["recipients"]:
        yield Table(f"Recipient: {one['name']}", ("What", "As agreed"), tuple(rows_of(one, names)))


def _data(data: Mapping[str, Any], names: Names) -> Iterator[Block]:
    yield Heading(2, "Data")
    yield columns("People that data are about", data["subjects"], ("title", "id"), names)
    yield columns("Categories of data", data["categories"], ("title", "kind", "items", "id"), names)
    for key, value in data.items():
        if key not in {"subjects", "categories"}:
            yield from section(3, key, value, names)


# Flows


def _flow(flow: Mapping[str, Any], content: Mapping[str, Any], names: Names) -> Iterator[Block]:
    yield Heading(3, f"Flow {flow['id']}: {flow['title']}")
    apart = ("lawful_basis", "confidentiality", "register")
    plain = {key: value for key, value in flow.items() if key not in {*apart, "id", "title"}}
    yield Table(f"{flow['id']}: who gives to whom, and why", ("What", "As agreed"), tuple(rows_of(plain, names)))
    for key in apart:
        if key in flow:
            caption = f"{flow['id']}: {phrases.label(key)}"
            yield Table(caption, ("What", "As agreed"), tuple(rows_of(flow[key], names)))
    for clause in content["clauses"]:
        if clause["flow"] == flow["id"]:
            yield from _clause(clause, names)
    for hold in content.get("holds", ()):
        if hold["flow"] == flow["id"]:
            yield from _hold(hold, names)


def _clause(clause: Mapping[str, Any], names: Names) -> Iterator[Block]:
    emergency = " (emergency)" if clause.get("emergency") else ""
    yield Heading(4, f"Clause {clause['id']}: {clause['title']}{emergency}")
    rest = {k: v for k, v in clause.items() if k not in {"id", "title", "release", "generalise", "withhold"}}
    rows: list[tuple[Cell, ...]] = list(rows_of(rest, names))
    if "release" in clause:
        rows.append((("Goes whole",), phrases.items(clause["release"])))
    if "generalise" in clause:
        lines = tuple(f"{phrases.item(i)}: {phrases.method(how)}" for i, how in clause["generalise"].items())
        rows.append((("Goes less exact",), lines))
    rows += [
        (("Stays",), (*(phrases.item(item) for item in one["items"]), f"Why: {one['reason']}"))
        for one in clause.get("withhold", ())
    ]
    yield Table(f"{clause['id']}: what goes, when, to whom", ("What", "As agreed"), tuple(rows))


def _hold(hold: Mapping[str, Any], names: Names) -> Iterator[Block]:
    yield Heading(4, f"Hold {hold['id']}: {hold['title']}")
    rest = {key: value for key, value in hold.items() if key not in {"id", "title"}}
    yield Table(f"{hold['id']}: when a person decides", ("What", "As agreed"), tuple(rows_of(rest, names)))


def _limits(content: Mapping[str, Any], names: Names) -> Iterator[Block]:
    if content.get("prohibitions"):
        yield Heading(2, "Prohibitions")
        yield Text("No clause of this agreement releases these, now or by amendment of a clause alone.")
        keys = ("id", "items", "recipients", "reason")
        yield columns("What no clause can release", content["prohibitions"], keys, names)
    yield Heading(2, "Rules that no agreement can lift")
    above = tuple(((rule.id,), (rule.words,)) for rule in rules.RULES)
    yield Table("What the gateway refuses whatever an agreement says", ("Rule", "In words"), above)


# Time


def _time(content: Mapping[str, Any], names: Names) -> Iterator[Block]:
    yield Heading(2, "Clocks")
    clocks = {key: value for key, value in content["clocks"].items() if isinstance(value, dict)}
    grades = list(dict.fromkeys(grade for one in clocks.values() for grade in one))
    rows = tuple(
        ((phrases.code(grade),), *((duration(one.get(grade, "none")),) for one in clocks.values())) for grade in grades
    )
    yield Table("How soon, by risk grade", ("Risk grade", *map(phrases.label, clocks)), rows)
    others = {key: value for key, value in content["clocks"].items() if key not in clocks}
    if others:
        yield Table("Days that do not count", ("What", "As agreed"), tuple(rows_of(others, names)))
    yield Heading(2, "Retention")
    kept = dict(content["retention"])
    classes = kept.pop("classes", ())
    if classes:
        yield columns("How long each is kept", classes, ("data", "days", "from", "disposal", "ground"), names)
    yield Table("And in any case", ("What", "As agreed"), tuple(rows_of(kept, names)))


def _end(
    content: Mapping[str, Any], agreement: Agreement, signed: Mapping[str, str] | None, names: Names
) -> Iterator[Block]:
    yield Heading(2, "Signatures")
    yield Text(
        f"Each party signs, with an Ed25519 key of its own, version {agreement.version} of {agreement.id} by its hash "
        f"{agreement.hash}. A signature for another version, or for a text that was changed, does not fit."
    )
    rows = tuple(
        (
            (str(party["name"]), str(party["id"])),
            (names.say("signatory", party.get("signatory", "")),),
            (_signed(str(party["id"]), signed),),
        )
        for party in content["parties"]
    )
    yield Table("Who signs", ("Party", "Signatory", "Signed"), rows)


def _signed(party: str, signed: Mapping[str, str] | None) -> str:
    if signed is None:
        return "Date and signature:"
    return f"signed {signed[party]}" if party in signed else "not signed"
