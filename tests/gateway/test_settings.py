"""Settings: defaults run on a developer's machine, and production refuses what is only safe there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.services import SettingsRefused, open_services
from gateway.settings import Environment, Settings

GOOD = {
    "environment": "production",
    "public_url": "https://gateway.example",
    "tls_in_front": True,
    "database_url": "postgresql+psycopg://gateway@db/gateway",
    "keys_dir": Path("/run/keys"),
    "duty_contact": "Duty manager, Example Trust",
}


def test_the_defaults_run() -> None:
    assert Settings().refusals() == ()


def test_settings_fit_for_production_are_taken() -> None:
    assert Settings.model_validate(GOOD).refusals() == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"public_url": "http://gateway.example"}, "GATEWAY_PUBLIC_URL"),
        ({"tls_in_front": False}, "GATEWAY_TLS_IN_FRONT"),
        ({"database_url": None}, "GATEWAY_DATABASE_URL"),
        ({"database_url": "sqlite:///x.sqlite3"}, "GATEWAY_DATABASE_URL"),
        ({"keys_dir": None}, "GATEWAY_KEYS_DIR"),
        ({"duty_contact": Settings.model_fields["duty_contact"].default}, "GATEWAY_DUTY_CONTACT"),
    ],
)
def test_production_refuses_what_is_only_safe_on_a_developer_s_machine(change: dict[str, object], named: str) -> None:
    (refusal,) = Settings.model_validate(GOOD | change).refusals()
    assert refusal.startswith(named)


def test_a_gateway_with_refused_settings_does_not_open(tmp_path: Path) -> None:
    settings = Settings(environment=Environment.PRODUCTION, data_dir=tmp_path / "data")
    with pytest.raises(SettingsRefused) as refused:
        open_services(settings)
    assert str(refused.value).count(";") == 4  # all five are said at once
    assert not (tmp_path / "data").exists()


def test_settings_come_from_the_environment_and_are_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_JOURNAL_BATCH_MAX", "7")
    settings = Settings()
    assert settings.journal_batch_max == 7
    with pytest.raises(ValidationError):
        settings.journal_batch_max = 8  # type: ignore[misc]  # the type checker refuses it too


@pytest.mark.parametrize("wrong", [{"journal_batch_max": 0}, {"token_lifetime_seconds": 3601}, {"unknown": 1}])
def test_settings_out_of_range_and_unknown_settings_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_the_origin_of_logs_is_the_address_without_its_scheme() -> None:
    assert Settings(public_url="https://gateway.example/share/").log_origin_prefix == "gateway.example/share"
