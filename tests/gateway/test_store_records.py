"""Records at rest: whole again when read, unreadable to whoever has the database alone, gone when erased."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update

from audit import sql as log_sql
from gateway.demo.incidents import incident as pushed
from gateway.demo.run import LOG
from gateway.keys import Keyring, load
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.envelope import ContentUnreadable, Envelope
from gateway.store.records import _VAULTED_PARTS, Records, join, name_key, split
from mappings.items import VAULTED, plan, possible_items, present
from mappings.record import Address, AddressUse, Contact, Part, Person, Record, Role
from tests.support.everything import everything
from tests.support.evidence import verify_log
from tests.support.records import incident
from tests.support.world import World

ID, OTHER_ID = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"

_contacts = st.builds(
    Contact,
    system=st.just("phone"),
    value=st.none() | st.sampled_from(["07700 900123", "01632 960124"]),
    safe=st.none() | st.booleans(),
    code_word=st.none() | st.just("bluebell"),
)
_addresses = st.builds(
    Address,
    use=st.sampled_from(AddressUse),
    town=st.none() | st.sampled_from(["Blackpool", "Elsewhere"]),
    postcode=st.none() | st.just("ZZ99 3CZ"),
)


@st.composite
def _records(draw: st.DrawFn) -> Record:
    """A record of several people, each with contacts and addresses of all kinds in any order."""
    roles = draw(st.lists(st.sampled_from(Role), max_size=4))
    people = [
        Person(
            ref=f"p{at}",
            role=role,
            contacts=tuple(draw(st.lists(_contacts, max_size=4))),
            addresses=tuple(draw(st.lists(_addresses, max_size=5))),
        )
        for at, role in enumerate(roles)
    ]
    return incident().model_copy(update={"people": tuple(people)})


@given(_records())
@settings(max_examples=200)
def test_what_was_split_joins_to_the_same_record_and_the_open_part_holds_nothing_vaulted(record: Record) -> None:
    open_part, vaulted = split(record)
    assert not present(open_part) & VAULTED
    assert bool(vaulted) == bool(present(record) & VAULTED)
    assert join(open_part, vaulted) == record


def test_every_vaulted_item_of_a_whole_record_goes_into_the_vault() -> None:
    record = everything()
    assert present(record) & VAULTED == possible_items() & VAULTED  # the record holds every one of them
    open_part, vaulted = split(record)
    assert not present(open_part) & VAULTED
    assert present(record) - present(open_part) == VAULTED & possible_items()
    assert join(open_part, vaulted) == record


def test_the_vaulted_parts_are_those_whose_gate_can_be_a_vaulted_item() -> None:
    found: dict[str, type[Part]] = {}
    for name, cls in (("contacts", Contact), ("addresses", Address)):
        uses = cls.choices or ("",)
        gates = {plan(cls, (("role", "victim"), *((("use", use),) if use else ()))).gate for use in uses}
        if gates & VAULTED:
            found[name] = cls
    assert dict(_VAULTED_PARTS) == found
    others = set().union(
        *(possible_items(cls, (("role", "victim"),)) for cls in _parts_of_person() - set(found.values()))
    )
    assert not others & VAULTED


def _parts_of_person() -> set[type[Part]]:
    wholes: set[type[Part]] = {Person, Record}
    return {cls for cls in Part.__subclasses__() if cls.__module__ == Part.__module__} - wholes


@pytest.fixture
def keyring(prepared_world: Path) -> Keyring:
    return load(prepared_world / "keys", "development")


def _write(connection: Connection, records: Records, record: Record, record_id: str) -> None:
    stored = records.seal(record, record_id=record_id, log_id=LOG)
    row = {**stored.record, "event_id": record_id, "received_at": "2026-04-12T21:30:00.000Z"}
    connection.execute(insert(tables.record), row)
    connection.execute(insert(tables.data_key), dict(stored.data_key))
    connection.execute(insert(tables.blind_index), [dict(one) for one in stored.blind_indexes])


def test_a_stored_record_is_the_same_record_again(database: Database, keyring: Keyring) -> None:
    records = Records(keyring)
    with database.writing() as connection:
        _write(connection, records, everything(), ID)
        _write(connection, records, incident(), OTHER_ID)
    with database.reading() as connection:
        assert records.load(connection, [ID, OTHER_ID]) == {ID: everything(), OTHER_ID: incident()}
        assert records.load(connection, []) == {}
        assert records.load(connection, ["not there"]) == {}


def test_contents_that_were_swapped_between_rows_do_not_open(database: Database, keyring: Keyring) -> None:
    """Not even with their keys: a ciphertext is bound to its row and column."""
    records = Records(keyring)
    with database.writing() as connection:
        _write(connection, records, incident(), ID)
        _write(connection, records, incident(), OTHER_ID)
        for table in (tables.record, tables.data_key):
            rows = {row.id: row._mapping for row in connection.execute(select(table))}
            columns = ("content", "vault") if table is tables.record else ("content_key", "vault_key")
            for one, other in ((ID, OTHER_ID), (OTHER_ID, ID)):
                values = {name: rows[other][name] for name in columns}
                connection.execute(update(table).where(table.c.id == one).values(values))
    with (
        database.reading() as connection,
        pytest.raises(ContentUnreadable, match=f"record.content.{ID}: does not open"),
    ):
        records.load(connection, [ID])


def test_the_vault_opens_with_its_own_key_alone(keyring: Keyring) -> None:
    stored = Records(keyring).seal(incident(), record_id=ID, log_id=LOG)
    vault, key = stored.record["vault"], stored.data_key["vault_key"]
    place = f"record.vault|{ID}"
    assert b"bluebell" in Envelope(keyring.vault_key).open(vault, key, place)
    for wrong in (keyring.content_key, bytes(32)):
        with pytest.raises(ContentUnreadable):
            Envelope(wrong).open(vault, key, place)
    with pytest.raises(ContentUnreadable):
        Envelope(keyring.vault_key).open(vault, key, f"record.content|{ID}")
    with pytest.raises(ContentUnreadable, match="wrapped by another key"):
        Envelope(keyring.vault_key, key_id=2).open(vault, key, place)
    content = Envelope(keyring.content_key).open(
        stored.record["content"], stored.data_key["content_key"], f"record.content|{ID}"
    )
    assert b"Ashdown" in content
    assert b"bluebell" not in content


@given(st.binary(max_size=64), st.integers(min_value=0))
@settings(max_examples=100)
def test_one_altered_byte_and_nothing_opens(plain: bytes, at: int) -> None:
    envelope = Envelope(bytes(32))
    sealed = envelope.seal(plain, "place")
    assert envelope.open(sealed.content, sealed.key, "place") == plain
    for content, key in (
        (_altered(sealed.content, at), sealed.key),
        (sealed.content, _altered(sealed.key, at)),
        (sealed.content[:-1], sealed.key),
        (b"", sealed.key),
        (sealed.content, b""),
    ):
        with pytest.raises(ContentUnreadable):
            envelope.open(content, key, "place")


def _altered(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at % len(data)] ^= 1
    return bytes(changed)


def test_two_seals_of_the_same_content_have_nothing_in_common() -> None:
    envelope = Envelope(bytes(32))
    first, second = (envelope.seal(b"the same", "place") for _ in range(2))
    assert first.content[:12] != second.content[:12]
    assert first.content != second.content
    assert first.key[1:] != second.key[1:]


# Whole enough that no random identifier or ciphertext holds one by chance, as five hexadecimal digits would be.
PERSONAL: tuple[str, ...] = (
    "Ashdown",
    "Marianne",
    "Harbottle",
    "Nextdoor",
    "bluebell",
    "drinks daily",
    "by the throat",
)
PERSONAL += ("07700 900123", "07700900123", "01632 960124", "01632960124", "7700900123", "1632960124", "1991-02-03")
PERSONAL += (
    "Example Row",
    "Sample Close",
    "ZZ99 3CZ",
    "Example Primary",
    "04-2026-000001",
    "04/00001/26",
    "LC-20260412",
)


def test_the_database_holds_no_personal_data_in_the_clear(demo: World) -> None:
    """Neither what was accepted, nor what is held for a human, nor what could not be read."""
    assert demo.push(pushed(1), "key-1").status_code == 201
    assert demo.push(pushed(1, version=2), "key-2").is_success
    assert demo.push(pushed(3, handling="C")).status_code == 202
    unreadable = b'{"data": {"surname": "Ashdown", "telephone": "07700 900123"'
    headers = {"Content-Type": "application/vnd.api+json"}
    assert demo.police.post("/police/v1/incidents", content=unreadable, headers=headers).status_code == 400
    reference = demo.hospital.get("/fhir/R4/Task").json()["entry"][0]["resource"]["id"]
    assert demo.hospital.get(f"/fhir/R4/ServiceRequest/{reference}").is_success
    for place, held in _everything_stored(demo):
        for word in PERSONAL:
            assert word.casefold().encode() not in held.lower(), f"{word} stands in {place}"


def _everything_stored(demo: World) -> Iterable[tuple[str, bytes]]:
    """Every column of every table; on SQLite every byte of its files as well."""
    database = demo.services.database
    with database.reading() as connection:
        for metadata in (tables.metadata, log_sql.metadata):
            for table in metadata.sorted_tables:
                for row in connection.execute(select(table)):
                    yield table.name, b"\0".join(_bytes(value) for value in row)
    if database.is_sqlite:
        for path in Path(str(database.url.database)).parent.glob("*.sqlite3*"):
            yield path.name, path.read_bytes()


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def test_an_erased_record_is_gone_and_the_log_still_verifies(demo: World) -> None:
    services = demo.services
    body = demo.push(pushed(1)).json()
    incident_id, reference = body["incident"], body["referrals"][0]["reference"]
    assert demo.hospital.get(f"/fhir/R4/Task/{reference}").is_success
    with services.database.writing() as connection:
        connection.execute(delete(tables.data_key).where(tables.data_key.c.id == incident_id))
    with services.database.reading() as connection:
        assert services.records.load(connection, [incident_id]) == {}
        rows = connection.execute(select(tables.record.c.id).where(tables.record.c.id == incident_id)).all()
    assert len(rows) == 1  # the row stands; what it held is beyond reading
    assert verify_log(services.database, LOG, services.signer(LOG).verifier).verified


def test_people_are_found_by_blind_indexes_that_need_the_key(database: Database, keyring: Keyring) -> None:
    records = Records(keyring)
    record = incident()
    with database.writing() as connection:
        _write(connection, records, record, ID)
        digests = connection.execute(select(tables.blind_index.c.digest)).scalars().all()
    victim = record.of_role(Role.VICTIM)[0]
    assert victim.birth is not None
    assert victim.birth.on is not None
    wanted = name_key("  ASHDOWN ", ["marianne"], victim.birth.on.isoformat())
    with database.reading() as connection:
        assert records.find_subjects(connection, LOG, "person", wanted) == (f"{ID}.{victim.ref}",)
        assert records.find_subjects(connection, LOG, "nhs-number", wanted) == ()
        assert records.find_subjects(connection, "another log", "person", wanted) == ()
    assert all(len(digest) == 32 for digest in digests)
    assert len(set(digests)) > 2
