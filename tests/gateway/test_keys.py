"""The gateway's keys: made once, readable by their owner only, never a developer's in production, never shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from gateway import keys
from gateway.keys import FILE_NAME, KeyringInvalid, create, load, load_or_create


def test_keys_are_written_for_their_owner_alone_and_read_back_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = create(folder, "development")
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert load(folder, "development") == made


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    made = create(tmp_path, "development")
    with pytest.raises(FileExistsError):
        create(tmp_path, "development")
    assert load_or_create(tmp_path, "development") == made


def test_no_two_keys_are_the_same(tmp_path: Path) -> None:
    made = create(tmp_path, "development")
    assert len({getattr(made, name) for name in keys._RAW}) == len(keys._RAW)
    assert made.token_key.kid == load(tmp_path, "development").token_key.kid


def test_a_keyring_does_not_show_its_keys(tmp_path: Path) -> None:
    """A traceback or a log line that holds one must not give the keys away (P7)."""
    made = create(tmp_path, "development")
    assert not any(repr(getattr(made, name)) in repr(made) for name in (*keys._RAW, "token_pem"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_keys_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    create(tmp_path, "development")
    (tmp_path / FILE_NAME).chmod(mode)
    with pytest.raises(KeyringInvalid, match="others can read"):
        load(tmp_path, "development")


def test_production_refuses_a_developer_s_keys_and_makes_none_by_itself(tmp_path: Path) -> None:
    with pytest.raises(KeyringInvalid, match="no key file"):
        load_or_create(tmp_path, "production")
    create(tmp_path, "development")
    with pytest.raises(KeyringInvalid, match="made for development"):
        load(tmp_path, "production")


def test_keys_made_for_production_serve_there(tmp_path: Path) -> None:
    create(tmp_path, "production")
    assert load(tmp_path, "production").environment == "production"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("log_seed", "AAAA", "wrong length"),
        ("vault_key", "not base 64!", "not a key file"),
        ("content_key", 7, "not a key file"),
        ("token_pem", None, "not a key file"),
        ("environment", ..., "not a key file"),
        ("index_key", ..., "not a key file"),
    ],
)
def test_a_damaged_key_file_is_refused_and_no_key_is_named(tmp_path: Path, name: str, value: object, says: str) -> None:
    create(tmp_path, "development")
    path = tmp_path / FILE_NAME
    document = json.loads(path.read_text())
    good = dict(document)
    if value is ...:
        del document[name]
    else:
        document[name] = value
    path.write_text(json.dumps(document))
    with pytest.raises(KeyringInvalid, match=says) as refused:
        load(tmp_path, "development")
    assert not any(key in str(refused.value) for key in good.values() if len(key) > 30)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "\x00"])
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: str) -> None:
    create(tmp_path, "development")
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(KeyringInvalid, match="not a key file"):
        load(tmp_path, "development")


def test_a_value_s_digest_depends_on_its_kind_and_on_the_key(tmp_path: Path) -> None:
    one, other = create(tmp_path / "one", "development"), create(tmp_path / "other", "development")
    assert one.blind("occurrence", "x") == one.blind("occurrence", "x")
    assert len({one.blind("occurrence", "x"), one.blind("log", "x"), other.blind("occurrence", "x")}) == 3
    assert one.payload_hash(b"x") != other.payload_hash(b"x")
