"""The document people sign: everything in the file is in it, it is safe whatever the words are, and never differs."""

from __future__ import annotations

import html
import io
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pypdf
import pytest
from lxml import html as lxml_html

from gateway.agreement import parse, shipped
from gateway.paper import html as paper_html
from gateway.paper import pdf as paper_pdf
from gateway.paper import tree as paper_tree
from gateway.paper.agreement import document
from gateway.paper.tree import Document, Heading, Table, Text, visible
from gateway.rules import RULES
from tests.support.agreements import clause, edited, plain

HASH = shipped().hash


@cache
def page() -> bytes:
    return paper_html.write(document(shipped()))


@cache
def printed() -> bytes:
    return paper_pdf.write(document(shipped()))


@cache
def pages() -> list[str]:
    return pages_of(printed())


def read(page_: str) -> Any:
    return lxml_html.fromstring(page_)  # type: ignore[no-untyped-call]  # lxml has no types


def words_of(page_: bytes) -> str:
    """What a reader of the page sees, without white space."""
    return squeezed(" ".join(read(page_.decode()).find("body").itertext()))


def pages_of(file: bytes) -> list[str]:
    return [one.extract_text() for one in pypdf.PdfReader(io.BytesIO(file)).pages]


def without_feet(texts: list[str], mark: str) -> str:
    """What stands on the pages, without white space and without the foot of each page."""
    foot = re.compile(re.escape(squeezed(mark)) + r"page\d+of\d+")
    return foot.sub("", squeezed("".join(texts)))


def printed_words(file: bytes, mark: str) -> str:
    return without_feet(pages_of(file), mark)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one)
            if key not in _KEYS:  # a name the agreement gave: an area, an item, a grade
                yield key
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    else:
        yield value


def _keys() -> set[str]:
    """The keys of the form, as opposed to names that an agreement gives."""
    content = plain()
    named = {
        *content["areas"],
        *(grade for one in content["clocks"].values() if isinstance(one, dict) for grade in one),
    }
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.update(value)
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(content)
    return {key for key in found - named if "." not in key}


_KEYS = _keys()


def shown(leaf: Any) -> str:
    return squeezed({True: "yes", False: "no"}.get(leaf, str(leaf)) if isinstance(leaf, bool) else str(leaf))


def test_everything_in_the_agreement_is_on_the_page() -> None:
    text = words_of(page())
    assert [leaf for leaf in leaves(plain()) if shown(leaf) not in text] == []


def test_everything_in_the_agreement_is_on_paper() -> None:
    text = without_feet(pages(), document(shipped()).mark)
    assert [leaf for leaf in leaves(plain()) if shown(leaf) not in text] == []


def test_a_part_nobody_foresaw_is_set_out_all_the_same() -> None:
    """Every kind of value under a key without a place of its own."""
    content = plain() | {
        "annex": {"words": "alpha words", "figures": [1, 2], "parts": [{"name": "beta"}, {"name": "gamma"}]},
        "remark": "delta",
        "listing": ["epsilon", "zeta"],
    }
    content["parties"][0]["motto"] = "eta"
    content["contacts"][0]["pager"] = "theta"
    agreement = replace(shipped(), canonical=json.dumps(content).encode())
    text = words_of(paper_html.write(document(agreement)))
    for word in ("alphawords", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "Pager:theta", "Annex"):
        assert word in text


def test_the_hash_stands_on_every_page_and_says_how_to_check_it() -> None:
    mark = squeezed(document(shipped()).mark)
    assert len(pages()) > 10
    for number, text in enumerate(pages(), 1):
        assert mark in squeezed(text)
        assert f"page {number} of {len(pages())}" in text
    assert squeezed("`gateway agreement check FILE` prints it") in words_of(page())
    assert HASH in document(shipped()).mark


def test_the_same_content_gives_the_same_bytes() -> None:
    """Layout and comments of the file do not matter; a word that means something does."""
    again = parse(b"# another comment\n" + shipped().text)
    assert paper_html.write(document(again)) == page()
    assert paper_pdf.write(document(again)) == printed()
    other = document(edited(lambda content: content.update(title="Another title")))
    assert paper_html.write(other) != page()


def test_the_rules_above_every_agreement_are_in_it() -> None:
    text = words_of(page())
    assert all(squeezed(rule.words) in text and rule.id in text for rule in RULES)


def test_lawful_basis_and_confidentiality_are_two_tables() -> None:
    captions = [block.caption for block in document(shipped()).blocks if isinstance(block, Table)]
    for flow in shipped().content.flows:
        assert f"{flow.id}: Lawful basis (data protection law)" in captions
        assert f"{flow.id}: Confidentiality basis (common law)" in captions


def test_who_signed_is_said_where_it_is_known() -> None:
    signed = {"lancashire-constabulary": "2026-01-02T03:04:05.000Z"}
    text = words_of(paper_html.write(document(shipped(), signed)))
    assert "signed2026-01-02T03:04:05.000Z" in text
    assert text.count("notsigned") == len(shipped().content.parties) - 1
    assert "Dateandsignature:" in words_of(page())


# Accessible, and safe


def test_the_page_can_be_read_aloud_and_stands_alone() -> None:
    tree = read(page().decode())
    assert tree.get("lang") == "en-GB"
    assert tree.findtext("head/title") == shipped().content.title
    levels = [int(one.tag[1]) for one in tree.iter("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    tables = list(tree.iter("table"))
    assert tables
    for table in tables:
        assert (table.findtext("caption") or "").strip()
        assert {one.get("scope") for one in table.iter("th")} == {"col", "row"}
    anchors = {one.get("id") for one in tree.iter() if isinstance(one.tag, str) and one.get("id")}
    assert {one.get("href") for one in tree.iter("a")} <= {f"#{anchor}" for anchor in anchors}
    assert not list(tree.iter("script", "img", "link", "iframe", "object", "form"))
    assert b"url(" not in page()
    assert b"http://" not in page()
    assert b"https://" not in page()
    assert "default-src 'none'" in tree.xpath("//meta[@http-equiv]/@content")[0]


HOSTILE = [
    "<script>alert(1)</script>",
    "</td></table><h1>Signed by everybody</h1>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "&lt;b&gt; &amp; <b>bold</b> <para> <font size=80>",
    "W" * 1900,
    "word " * 390,
    "a\u202eb\u2066c\u200bd\ufeffe",
    "\u0645\u0631\u062d\u0628\u0627 \u65e5\u672c\u8a9e \U0001f512",
    "Łódź Žižkov naïve — “quoted” 100 % £5",
]


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_words_stay_words(words: str) -> None:
    """Whatever is said, in every place that says something: the page has the same parts, and shows all of the words."""

    def of(said: str) -> Document:
        square = Table(said, (said, said), (((said,), (said, said)), ((said,), (said, said))))
        wide = Table("more", ("a", "b", "c", "d", "e"), ((("f",), (said,), (said,), (said,), (said,)),))
        blocks = (Heading(2, said), Text(said), square, wide)
        return paper_tree.document(said, "mark", blocks)

    made = of(words)
    tree = read(paper_html.write(made).decode())
    assert parts(tree) == parts(read(paper_html.write(of("x")).decode()))
    assert words_of(paper_html.write(made)).count(squeezed(visible(words))) == 17
    text = printed_words(paper_pdf.write(made), made.mark)
    assert text.count(squeezed(paper_pdf._said(visible(words)))) >= 13  # a page may end within one


def test_hostile_words_in_an_agreement_are_only_words() -> None:
    content = plain()
    content["title"], content["purpose"], content["flows"][0]["title"] = HOSTILE[:3]
    content["contacts"][0]["name"], content["parties"][0]["name"] = HOSTILE[3:5]
    clause(content, "F1-referral")["withhold"][0]["reason"] = HOSTILE[8]
    made = document(parse(json.dumps(content, ensure_ascii=False).encode()))
    tree = read(paper_html.write(made).decode())
    assert parts(tree) == parts(read(page().decode()))
    assert tree.find("body/header/h1").text == HOSTILE[0]
    assert paper_pdf.write(made).startswith(b"%PDF-")


def parts(tree: Any) -> dict[str, int]:
    count: dict[str, int] = {}
    for one in tree.iter():
        if isinstance(one.tag, str):
            count[one.tag] = count.get(one.tag, 0) + 1
    return count


def test_what_a_page_cannot_show_is_shown_by_its_code() -> None:
    assert visible("a\u202eb\x07c\u200bd") == "a[U+202E]b[U+0007]c[U+200B]d"
    assert visible("  two\n lines\t") == "two lines"
    assert paper_pdf._said("Łódź") != ""
    assert paper_pdf._said("日本") == "[U+65E5][U+672C]"


def test_the_blocks_are_of_the_kinds_that_the_template_knows() -> None:
    made: Document = document(shipped())
    template = (Path(paper_html.__file__).parent / "paper.html.j2").read_text()
    known = set(re.findall(r'kind == "(\w+)"', template))
    assert {type(block).__name__.lower() for block in made.blocks} == known
    assert next(block.level for block in made.blocks if isinstance(block, Heading)) == 2
    assert html.escape(shipped().content.title) in page().decode()
