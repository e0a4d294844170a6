"""The keys at a bad moment: a full disk, a kill, several processes at once, and keys that are not this database's."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from gateway import keys, new_files
from gateway.keys import FILE_NAME, KeyringInvalid
from gateway.services import SettingsRefused, open_services
from gateway.settings import Settings


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "full"), Killed()], ids=["full disk", "killed"])
@pytest.mark.parametrize("call", ["fsync", "link"])
def test_keys_half_made_are_none_and_are_made_again(
    fault: BaseException, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`gateway init` may be run again; a file that is no key file would have to be found and removed first."""

    def failing(*_: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        with pytest.raises(type(fault)):
            keys.create(tmp_path, "development")
    assert not (tmp_path / FILE_NAME).exists()
    assert keys.create(tmp_path, "development") == keys.load(tmp_path, "development")
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_keys_are_on_the_disk_before_anything_is_kept_under_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database outlives a power cut; without the keys, nothing in it can be read again."""
    synced: list[str] = []
    real = os.fsync

    def watched(descriptor: int) -> None:
        synced.append("folder" if Path(f"/proc/self/fd/{descriptor}").resolve() == tmp_path.resolve() else "file")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    keys.create(tmp_path, "development")
    assert synced == ["file", "folder"]


def test_of_many_that_start_at_once_all_have_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: keys.load_or_create(tmp_path / "keys", "development"), range(8)))
    assert len({one.log_seed for one in made}) == 1


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "there").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        new_files.make(tmp_path / "there", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize("lost", [True, False], ids=["keys lost", "another gateway's keys"])
def test_a_database_is_not_gone_on_with_under_other_keys(tmp_path: Path, *, lost: bool) -> None:
    """New keys would sign another log over the old one's entries, and leave everything kept unread for ever."""
    settings = Settings(data_dir=tmp_path / "data")
    open_services(settings).close()
    shutil.move(settings.keys, tmp_path / "away")
    if not lost:
        keys.create(settings.keys, settings.environment.value)
    with pytest.raises(KeyringInvalid, match="not the keys"):
        open_services(settings)
    shutil.rmtree(settings.keys)
    shutil.move(tmp_path / "away", settings.keys)
    open_services(settings).close()


@pytest.mark.parametrize("spoilt", ["", "{}", "[]", '{"environment":', "a token key that is none"])
def test_a_key_file_that_is_spoilt_is_said_to_be(tmp_path: Path, spoilt: str) -> None:
    keys.create(tmp_path, "development")
    path = tmp_path / FILE_NAME
    whole = path.read_text()
    path.write_text(whole.replace("PRIVATE KEY-----\\nM", "PRIVATE KEY-----\\nZ") if "token" in spoilt else spoilt)
    with pytest.raises(KeyringInvalid, match="not a key file"):
        keys.load(tmp_path, "development")


def test_a_database_of_a_later_version_is_left_as_it_is(tmp_path: Path) -> None:
    """A replica of the old version that starts again half-way through an upgrade."""
    settings = Settings(data_dir=tmp_path)
    open_services(settings).close()
    with closing(sqlite3.connect(tmp_path / "gateway.sqlite3")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
        before = database.execute("SELECT sql FROM sqlite_master").fetchall()
        with pytest.raises(SettingsRefused, match="later version"):
            open_services(settings)
        assert database.execute("SELECT sql FROM sqlite_master").fetchall() == before


@pytest.mark.parametrize("url", ["nonsense", "postgresql+psycopg://somebody:zqx@127.0.0.1:1/zqx"])
def test_a_database_that_cannot_be_used_is_said_without_its_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsRefused, match="GATEWAY_DATABASE_URL") as refused:
        open_services(Settings(data_dir=tmp_path, database_url=url))
    assert "zqx" not in str(refused.value)
