"""Reading, hashing and signing agreements."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.agreement import AgreementUnreadable, Signature, State, Status, Terms, parse, shipped, sign
from gateway.agreement.text import MAX_BYTES
from tests.support.agreements import edited, key_of, provide, signed
from tests.support.records import NOW

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2029, 1, 1, tzinfo=UTC)
TEXT = shipped().text.decode()


_RELATIONSHIPS = "clauses[0].when.relationships[0]"
_CATEGORY = "flows[5].register.data_categories[0]"
_HOURS = "governance.breach.tell_commissioner_within_hours"


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        ("version: 1\n", "version: 1\nverison: 2\n", "verison", "an unknown key"),
        ("version: 1\n", "version: 1\nversion: 1\n", "version", "said twice"),
        ("version: 1\n", 'version: "1"\n', "version", "valid integer"),
        ("version: 1\n", "version: &v 1\n", "version", "anchors"),
        ("version: 1\n", "version: !!int 1\n", "version", "tags"),
        ("version: 1\n", "version:\n", "version", "empty"),
        ("version: 1\n", "version: null\n", "version", "empty"),
        ("version: 1\n", "version: 01\n", "version", "valid integer"),
        ("    systems: [force-rms]\n", "    systems: []\n", "recipients[1].systems", "empty"),
        ("    systems: [force-rms]\n", "    systems: *v\n", "recipients[1].systems", "anchors"),
        ("    release: [engagement.wishes]", "    release: [engagement.hopes]", "clauses[11].release[0]", "catalogue"),
        (
            "      - items: [suspect.police_identifiers]",
            "      - items: [suspect.pnc]",
            "clauses[0].withhold[2].items[0]",
            "pattern",
        ),
        ("      risk.answers: count", "      risk.answers: blur", "clauses[24].generalise.risk.answers", "should be"),
        ("      risk.answers: count", "      risk.answers: year", "clauses[24]", "no meaning"),
        (
            "    recipients: [evaluation]\n    emergency: false\n    when",
            "    recipients: [idva-team]\n    emergency: false\n    when",
            "clauses[24].recipients[0]",
            "recipient",
        ),
        ("    areas: [blackpool, fylde", "    areas: [preston, fylde", "recipients[0].areas[0]", "no such area"),
        ("    flow: F2\n    recipients", "    flow: F7\n    recipients", "clauses[10].flow", "no such flow"),
        ("    to: [evaluation]", "    to: [press]", "flows[15].to[0]", "no such recipient"),
        ("    from: [blackpool-teaching-hospitals]\n", "    from: [somebody]\n", "flows[5].from[0]", "no such party"),
        ("owner: provide-lead", "owner: nobody", "owner", "no such contact"),
        ("  - id: F2-wishes", "  - id: F2-status", "clauses", "given twice"),
        ('    force: "04"\n', "", "parties[0]", "either a force code or an ODS code or"),
        ("      within_days: any\n", "", "clauses[0].when.within_days", "missing"),
        ("    high: PT1H", "    high: soon", "clocks.acknowledge.high", "not a clock"),
        ("    high: PT1H", "    high: PT0H", "clocks.acknowledge.high", "no time at all"),
        ("powers: [nhs-act-2006]", "powers: [divine-right]", "flows[15].lawful_basis", "a power"),
        ("id: operation-provide\n", "- id\n", "", "not YAML"),
        ("format: 2\n", "format: 1\n", "format", "should be 2"),
        ("format: 2\n", "", "format", "missing"),
        ("      ages: any\n", "      ages: [25-34, teenage]\n", "clauses[0].when.ages[1]", "no band of ages"),
        ("      markings: any\n", "      markings: [restricted]\n", "clauses[0].when.markings[0]", "should be"),
        ("      relationships: any\n", "", "clauses[0].when.relationships", "missing"),
        ("      relationships: any\n", "      relationships: [declared]\n", _RELATIONSHIPS, "should be"),
        ("    emergency: true\n", "", "clauses[2].emergency", "missing"),
        ("    emergency: true\n", "    emergency: perhaps\n", "clauses[2].emergency", "valid boolean"),
        ("    signatory: police-acc\n", "    signatory: nobody\n", "parties[0].signatory", "no such contact"),
        ("    signatory: police-acc\n", "", "parties[0].signatory", "missing"),
        ("    local_authority: E10000017\n", "    local_authority: LCC\n", "parties[3].local_authority", "pattern"),
        ("    ods: RXL\n", '    ods: RXL\n    force: "05"\n', "parties[1]", "either a force code or an ODS code or"),
        (
            "      bases: [police-common-law]",
            "      bases: [good-sense]",
            "flows[0].confidentiality.bases[0]",
            "should",
        ),
        ("      owner: bay-safeguarding", "      owner: nobody", "flows[1].register.owner", "no such contact"),
        ("data_subjects: [victim]", "data_subjects: [widow]", "flows[5].register.data_subjects[0]", "no such type"),
        ("data_categories: [reference, support]", "data_categories: [gossip]", _CATEGORY, "no such category"),
        ("    - data: quarantine\n", "    - data: feedback\n", "retention.classes", "given twice"),
        ("    - data: quarantine\n", "    - data: gossip\n", "retention.classes[2].data", "should be"),
        ("  backstop_days: 400", "  backstop_days: 0", "retention.backstop_days", "greater than"),
        ("  complaints: >-", "  grumbles: >-", "governance.grumbles", "an unknown key"),
        ("    tell_commissioner_within_hours: 72", "    tell_commissioner_within_hours: 73", _HOURS, "less than"),
        ("    contact: trust-dpo", "    contact: nobody", "governance.individual_rights.contact", "no such contact"),
        ("    contacts: [trust-dpo,", "    contacts: [nobody,", "governance.breach.contacts[0]", "no such contact"),
        ("    - id: support\n", "    - id: consent\n", "data.categories", "given twice"),
        ("      kind: victim-information-request", "      kind: whim", "flows[8].request.kind", "should be"),
        ('  from: "2026-01-01T00:00:00+00:00"', '  from: "2026-01-01T00:00:00"', "in_force.from", "timezone"),
    ],
)
def test_a_faulty_text_is_refused_at_its_line(old: str, new: str, path: str, reason: str) -> None:
    assert old in TEXT
    with pytest.raises(AgreementUnreadable) as refused:
        parse(TEXT.replace(old, new, 1).encode())
    assert refused.value.path == path
    assert reason in refused.value.reason
    at = line_of(TEXT, old)
    assert at - 50 <= refused.value.line <= at + 2 or path in {"clauses", "retention.classes", "data.categories"}
    assert f"line {refused.value.line}: " in str(refused.value)


def test_the_line_named_is_the_line_of_the_fault() -> None:
    faulty = TEXT.replace("release: [engagement.wishes]", "release: [engagement.hopes]")
    with pytest.raises(AgreementUnreadable) as refused:
        parse(faulty.encode())
    assert refused.value.line == line_of(faulty, "engagement.hopes")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"# nothing\n",
        b"just words",
        b"- a\n- list\n",
        b"a: 1\n---\nb: 2\n",
        b"\xff\xfe",
        b"a: \x07",
        b"[" * 5000,
        b"a: " * 400,
        b"{" * 3000 + b"a: 1" + b"}" * 3000,
        b"? [a, b]\n: c\n",
        b"a: {}\n",
        b"%YAML 1." + b"9" * 5000 + b"\n---\na: 1\n",
        b'a: "\\UFFFFFFFF"\n',
        b"a: [" + b"1," * 120_000 + b"1]\n",
        b"a" * (MAX_BYTES + 1),
    ],
)
def test_what_is_no_agreement_is_unreadable_and_nothing_worse(text: bytes) -> None:
    with pytest.raises(AgreementUnreadable):
        parse(text)


@given(st.integers(0, len(TEXT)), st.integers(0, 40), st.text("[]{}:-&*!|>'\"%@ \n\taA0é", max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_damaged_text_is_read_or_unreadable(at: int, cut: int, put: str) -> None:
    """Whatever is struck out or put in, the reader answers with an agreement or with AgreementUnreadable."""
    with suppress(AgreementUnreadable):
        assert parse((TEXT[:at] + put + TEXT[at + cut :]).encode()).content.parties


def test_words_that_yaml_would_turn_into_something_else_stay_words() -> None:
    agreement = parse(TEXT.replace('force: "04"', "force: 04").replace("name: Fylde", "name: no").encode())
    assert agreement.content.parties[0].force == "04"


def test_comments_and_layout_do_not_change_the_hash_but_meaning_does() -> None:
    agreement = shipped()
    commented = parse(
        TEXT.replace("id: operation-provide\n", "# a remark\n\nid:   'operation-provide'   # so\n").encode()
    )
    assert commented.hash == agreement.hash
    assert commented.text != agreement.text
    assert parse(agreement.canonical).hash == agreement.hash
    assert parse(TEXT.replace("PT24H", "PT48H", 1).encode()).hash != agreement.hash


def test_standing_at_the_boundary_instants() -> None:
    tick = timedelta(microseconds=1)
    terms = provide()
    seen = [terms.standing(at).status for at in (START - tick, START, END - tick, END)]
    assert seen == [Status.NOT_YET, Status.IN_FORCE, Status.IN_FORCE, Status.EXPIRED]


@pytest.mark.parametrize("unseen", ["\\0", "\\x1b", "\u202e", "\\u2066", "\u200b", "\\u2028", "\u00ad", "\\uFFFF"])
def test_a_character_that_nobody_sees_is_refused_by_its_line(unseen: str) -> None:
    """The document people sign would read otherwise than what is enforced."""
    text = shipped().text.decode()
    first = f'title: "No {unseen}data"\n'
    start = text.index("title:")
    with pytest.raises(AgreementUnreadable, match="nobody sees") as refused:
        parse((text[:start] + first + text[text.index("\n", start) + 1 :]).encode())
    assert (refused.value.path, refused.value.line) == ("title", 1 + text[:start].count("\n"))


@pytest.mark.parametrize("state", [State.DRAFT, State.SUSPENDED, State.ENDED])
def test_only_the_state_in_force_is_in_force(state: State) -> None:
    standing = signed(shipped(), state).standing(NOW)
    assert not standing.in_force
    assert standing.status == state.value


def test_every_party_has_to_sign() -> None:
    standing = signed(shipped(), without="lancashire-constabulary").standing(NOW)
    assert standing.status is Status.UNSIGNED
    assert standing.missing == ("lancashire-constabulary",)


def test_signatures_do_not_carry_over_to_an_altered_text() -> None:
    terms = provide()
    altered = edited(lambda content: content["clauses"][0]["release"].append("suspect.contact"))
    moved = Terms(altered, terms.signatures, terms.party_keys, State.IN_FORCE)
    assert moved.standing(NOW).status is Status.UNSIGNED
    assert len(moved.missing) == 4


def test_a_signature_counts_only_under_the_partys_registered_key() -> None:
    terms = provide()
    police, *others = terms.signatures
    trust = others[0]
    for forged in (
        sign(terms.agreement.hash, key_of("somebody"), police.party),
        Signature(police.party, trust.public_key, trust.signature),
        Signature(police.party, police.public_key, bytes(64)),
        Signature(police.party, police.public_key, b""),
        Signature("somebody", police.public_key, police.signature),
    ):
        forged_terms = Terms(terms.agreement, (forged, *others), terms.party_keys, State.IN_FORCE)
        assert forged_terms.missing == (police.party,)
    no_key = Terms(terms.agreement, terms.signatures, dict(terms.party_keys) | {police.party: b"short"}, State.IN_FORCE)
    assert no_key.missing == (police.party,)


def test_a_signature_for_something_else_does_not_sign_an_agreement() -> None:
    terms = provide()
    police, *others = terms.signatures
    bare = key_of(police.party).sign(terms.agreement.hash.encode())
    moved = Terms(
        terms.agreement, (Signature(police.party, police.public_key, bare), *others), terms.party_keys, State.IN_FORCE
    )
    assert moved.missing == (police.party,)


@pytest.mark.parametrize(
    ("days", "warning"), [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0.01, 7), (0, None), (-1, None)]
)
def test_expiry_warns_60_30_and_7_days_ahead(days: float, warning: int | None) -> None:
    assert provide().expiry_warning(END - timedelta(days=days)) == warning
