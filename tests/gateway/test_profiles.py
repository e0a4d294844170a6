"""Which profile reads what a client pushes: by name, by media type, by the day; and what a deployment brings itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.errors import BadMediaType
from gateway.profiles import Profiles, day_of, open_profiles
from gateway.services import open_services
from mappings import codemap
from mappings.profile import ProfileInvalid, profile, profiles
from tests.mappings.test_own_profiles import GOOD, written
from tests.support.world import settings_for

TODAY = date(2026, 11, 23)
SHIPPED = Profiles([profile(name) for name in profiles()], "ihub")
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
