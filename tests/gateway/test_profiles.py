"""Which profile reads what a client pushes: by name, by media type, by the day; and what a deployment brings itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from joserfc.jwk import KeySet

from gateway.errors import BadMediaType
from gateway.initialise import check_clients
from gateway.london import day_of
from gateway.profiles import Profiles, open_profiles
from gateway.services import open_services
from gateway.tokens.clients import Client
from mappings import codemap
from mappings.profile import ProfileInvalid, profile, profiles
from tests.mappings.test_own_profiles import GOOD, written
from tests.support import connect
from tests.support.world import settings_for

TODAY = date(2026, 11, 23)
SHIPPED = Profiles([profile(name) for name in profiles()], "ihub")
CONNECT = Path(codemap.__file__).parent / "police" / "connect.toml"
JSON, JSON_API = "application/json", "application/vnd.api+json"


def version(folder: Path, number: int, begins: str, ends: str = "") -> Path:
    until = f"valid_until = {ends}" if ends else ""
    text = GOOD.replace("valid_from = 2026-10-01\nvalid_until = 2026-12-31", f"valid_from = {begins}\n{until}")
    return written(folder, text.replace('version = "2"', f'version = "{number}"'), f"kestrel@{number}.toml")


def test_a_client_that_names_none_reads_by_the_deployments_own_choice() -> None:
    assert SHIPPED.choose((), JSON, TODAY).name == "ihub"
    assert [one.name for one in SHIPPED.of(())] == ["ihub"]


def test_of_a_clients_profiles_the_first_that_reads_the_media_type_is_chosen() -> None:
    """Both read application/json; only one reads JSON:API."""
    assert SHIPPED.choose(("athena", "ihub"), JSON, TODAY).name == "athena"
    assert SHIPPED.choose(("ihub", "athena"), JSON, TODAY).name == "ihub"
    assert SHIPPED.choose(("athena", "ihub"), JSON_API, TODAY).name == "ihub"
    assert SHIPPED.media_types(("athena", "ihub")) == (JSON, JSON_API)


@pytest.mark.parametrize(("names", "media"), [(("athena",), JSON_API), ((), "text/plain"), (("gone",), JSON)])
def test_a_media_type_that_none_of_them_reads_is_refused(names: tuple[str, ...], media: str) -> None:
    with pytest.raises(BadMediaType):
        SHIPPED.choose(names, media, TODAY)


def test_a_name_there_is_no_profile_of_any_more_is_never_read_by_another() -> None:
    assert SHIPPED.of(("gone",)) == ()


def test_versions_are_chosen_by_the_day(tmp_path: Path) -> None:
    version(tmp_path, 1, "2026-01-01", "2026-10-31")
    version(tmp_path, 2, "2026-11-01")
    kept = open_profiles(tmp_path, "kestrel")
    days = {date(2026, 10, 31): "1", date(2026, 11, 1): "2", date(2030, 1, 1): "2"}
    assert {day: kept.choose((), JSON, day).version for day in days} == days
    with pytest.raises(BadMediaType, match="valid today"):
        kept.choose((), JSON, date(2025, 12, 31))


@pytest.mark.parametrize(
    ("first", "second"),
    [(("2026-01-01", "2026-10-31"), ("2026-10-31", "")), (("2026-01-01", ""), ("2027-01-01", ""))],
)
def test_two_versions_of_one_day_are_refused(tmp_path: Path, first: tuple[str, str], second: tuple[str, str]) -> None:
    version(tmp_path, 1, *first)
    version(tmp_path, 2, *second)
    with pytest.raises(ProfileInvalid, match=r"kestrel\.1 and kestrel\.2: two versions"):
        open_profiles(tmp_path, "ihub")


def test_the_day_is_that_of_london() -> None:
    assert day_of(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)) == date(2026, 7, 1)
    assert day_of(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == date(2026, 12, 31)


def test_every_profile_has_its_hash_in_the_entry_and_its_listing_in_the_pack(tmp_path: Path) -> None:
    written(tmp_path)
    kept = open_profiles(tmp_path, "ihub")
    assert kept.hashes["profile.ihub"] == profile("ihub").hash
    assert "profile.kestrel.2" in kept.hashes
    assert set(kept.listings) == set(kept.hashes.values())
    assert kept.names == {*profiles(), "kestrel"}


def test_a_profile_that_ships_is_never_replaced_in_silence(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace('name = "kestrel"', 'name = "ihub"'), "ihub@2.toml")
    with pytest.raises(ProfileInvalid, match=r"ihub\.2: a profile of this name ships"):
        open_profiles(tmp_path, "ihub")


def test_a_map_that_nothing_uses_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "grade.json").write_bytes((codemap.CODES / "grade.json").read_bytes())
    with pytest.raises(ProfileInvalid, match=r"grade\.json: no profile uses it"):
        open_profiles(tmp_path, "ihub")


def test_a_profile_for_a_format_nobody_reads_is_refused(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace('adapter = "police.plain"', 'adapter = "police.telex"'))
    with pytest.raises(ProfileInvalid, match=r"kestrel\.2: adapter: no adapter"):
        open_profiles(tmp_path, "ihub")


@pytest.mark.parametrize(("folder", "default"), [(None, "gone"), ("missing", "ihub")])
def test_a_gateway_does_not_start_without_the_profiles_it_is_set_to(
    tmp_path: Path, folder: str | None, default: str
) -> None:
    where = tmp_path / folder if folder else None
    with pytest.raises(ProfileInvalid):
        open_services(settings_for(tmp_path / "data", profiles_dir=where, police_profile=default))
    assert not (tmp_path / "data").exists()


# Which table was meant


def table(folder: Path, name: str, columns: dict[str, str], *, more: str = "", day: str = "") -> Path:
    """A profile for one file of these columns, each read into a reference of that type."""
    rows = "\n".join(
        f'  {{ from = "{column}", to = "references[{word}].value", transform = "reference" }},'
        for column, word in columns.items()
    )
    text = f"""
name = "{name}"
title = "A table"
adapter = "police.csv"
standard = "none"
date = "2026-04-01"
root = "export"
identity = ["{next(iter(columns))}"]
{day}
[csv]
incident = "incidents"
{more}
[csv.files.incidents]
[shapes.export]
part = "Record"
set = {{ kind = "incident" }}
sections = [ {{ at = "incidents", shape = "incident", required = true }} ]
[shapes.incident]
part = "Record"
rows = [
{rows}
]
"""
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


EAST = {"OccRef": "occurrence", "LogNo": "log", "UrnEast": "cjs-urn"}
WEST = {"OccRef": "occurrence", "LogNo": "log", "CrimeWest": "crime"}
SMALL = {"OccRef": "occurrence"}


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        ("OccRef,LogNo,UrnEast", "east"),
        ("OccRef,LogNo,CrimeWest", "west"),
        ("CrimeWest;LogNo;OccRef;Added", "west"),
        ('"Occ Ref"', "small"),
        ("OccRef", "small"),
        ("Something,Else", "small"),
        ("", "small"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_of_profiles_for_tables_the_one_that_fits_the_header_is_chosen(
    tmp_path: Path, header: str, meant: str, encoding: str
) -> None:
    """Who speaks for most columns; of equals, who misses fewest. What fits nobody goes to the first to be refused."""
    for name, columns in (("small", SMALL), ("east", EAST), ("west", WEST)):
        table(tmp_path, name, columns)
    kept = open_profiles(tmp_path, "ihub")
    names = ("small", "east", "west", "connect")
    body = (header.replace("Occ Ref", "OccRef") + "\r\n1,2,3\r\n").encode(encoding)
    assert kept.choose(names, "text/csv", TODAY, body).name == meant
    assert kept.has_rivals(names, "text/csv", TODAY)
    assert not kept.has_rivals(names, "application/zip", TODAY)
    assert kept.choose(names, "application/zip", TODAY).name == "connect"
    kept.check(names)


def test_two_exports_of_several_files_are_told_apart_inside_the_zip(tmp_path: Path) -> None:
    shipped = CONNECT.read_text()
    other = shipped.replace('name = "connect"', 'name = "other"').replace("OCC_REF", "OCCURRENCE_NO")
    (tmp_path / "other.toml").write_text(other)
    kept = open_profiles(tmp_path, "ihub")
    ours = connect.zipped(connect.export())
    files = {"incidents.csv": b"OCCURRENCE_NO|RECORD_TYPE\r\n1|incident\r\n", "persons.csv": b"OCCURRENCE_NO\r\n1\r\n"}
    theirs = connect.packed(files)
    for names in (("connect", "other"), ("other", "connect")):
        assert kept.choose(names, "application/zip", TODAY, ours).name == "connect"
        assert kept.choose(names, "application/zip", TODAY, theirs).name == "other"


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ({}, {}, False),
        ({"more": 'delimiter = "pipe"'}, {}, False),
        ({"more": 'delimiter = "pipe"'}, {"more": 'delimiter = "comma"'}, True),
        ({"day": "valid_until = 2026-09-30"}, {"day": "valid_from = 2026-10-01"}, True),
        ({"day": "valid_until = 2026-10-01"}, {"day": "valid_from = 2026-10-01"}, False),
    ],
)
def test_two_tables_nobody_could_tell_apart_are_refused_and_both_are_named(
    tmp_path: Path, one: dict[str, str], other: dict[str, str], *, apart: bool
) -> None:
    table(tmp_path, "east", EAST, **one)
    table(tmp_path, "north", EAST, **other)
    kept = open_profiles(tmp_path, "ihub")
    kept.check(("east", "ihub", "flat", "connect"))
    if apart:
        kept.check(("north", "east"))
        return
    with pytest.raises(ProfileInvalid, match="north and east: both read text/csv by the same columns"):
        kept.check(("north", "east"))


def test_a_gateway_does_not_start_where_a_client_has_two_profiles_nobody_could_tell_apart(tmp_path: Path) -> None:
    """The command that registers a client refuses it before; a profile that is changed later is caught at the start."""
    table(tmp_path, "east", EAST)
    table(tmp_path, "north", EAST)
    kept = open_profiles(tmp_path, "ihub")
    keys, none = KeySet([]), frozenset[str]()
    client = Client("rms", "A system", "04", None, none, none, keys, None, ("east", "north"))
    with pytest.raises(ProfileInvalid, match="client rms: east and north: both read"):
        check_clients(kept, [client])
    check_clients(kept, [replace(client, revoked_at="2026-01-01T00:00:00.000Z"), replace(client, profiles=("east",))])
