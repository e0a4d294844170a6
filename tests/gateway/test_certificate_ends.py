"""Certificates that run out: warned of 30 and 7 days ahead and at the end, once each, and seen by the operator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit import sql
from gateway.certificate_ends import ENDED, held, note_ends, of_clients, threshold
from gateway.evidence import OPERATOR_LOG, Event
from gateway.services import Services
from gateway.store import tables
from gateway.tokens.certificates import AddCertificate, Certificate, CertificateUnusable
from gateway.tokens.clients import ClientRefused
from tests.support.mllp import authority
from tests.support.world import copy_template, open_world, settings_for

NOW = datetime.now(UTC)
ENGINE = "demo-hospital"


@pytest.fixture
def services(prepared_world: Path, tmp_path: Path) -> Iterator[Services]:
    """A gateway that holds one certificate of its own, which ends in a day."""
    copy_template(prepared_world, tmp_path / "data", with_database=True)
    own, key = authority().issue("gateway").write(tmp_path, "gateway")
    world = open_world(settings_for(tmp_path / "data", mllp_certificate=own, mllp_key=key))
    yield world.services
    world.close()


def warnings(services: Services) -> list[dict[str, Any]]:
    """What was sealed of ends, in order."""
    with services.database.reading() as connection:
        stop = sql.read_head(connection, OPERATOR_LOG).size
        entries = [one.entry() for one in sql.leaves(connection, OPERATOR_LOG, 0, stop)]
    return [dict(one.detail or {}) for one in entries if one.event == Event.CERTIFICATE_ENDING]


def add(services: Services, fingerprint: str, days: float) -> None:
    """Register a certificate of the engine that ends in so many days."""
    unit = AddCertificate(ENGINE, Certificate(fingerprint, datetime.now(UTC) + timedelta(days=days)))
    services.journals.of(OPERATOR_LOG).submit_and_wait(unit)


@pytest.mark.parametrize(
    ("days", "within"), [(31, None), (30, 30), (8, 30), (7, 7), (0.01, 7), (0, ENDED), (-400, ENDED)]
)
def test_the_tightest_threshold_is_named(days: float, within: int | None) -> None:
    assert threshold(NOW + timedelta(days=days), NOW) == within


def test_an_end_is_sealed_once_for_each_threshold_however_often_it_is_looked_at(services: Services) -> None:
    add(services, "a" * 64, 29.5)
    add(services, "b" * 64, 90)
    for _ in range(3):
        note_ends(services, datetime.now(UTC))
    client, own = sorted(warnings(services), key=lambda one: str(one["use"]))
    assert client == {"certificate": "a" * 64, "use": "client", "name": ENGINE, "days": 29, "within": 30}
    assert (own["name"], own["days"], own["within"]) == ("GATEWAY_MLLP_CERTIFICATE", 0, 7)


def test_the_next_threshold_is_sealed_as_well(services: Services) -> None:
    add(services, "c" * 64, 29.5)
    note_ends(services, datetime.now(UTC))
    with services.database.writing() as connection:  # as if three weeks and more had gone by
        ends = datetime.now(UTC) + timedelta(days=6.5)
        table = tables.client_certificate
        connection.execute(table.update().values(not_after=ends.isoformat()))
    note_ends(services, datetime.now(UTC))
    found = [one["within"] for one in warnings(services) if one["certificate"] == "c" * 64]
    assert found == [30, 7]


def test_what_was_removed_or_ends_at_nobody_knows_when_is_not_warned_of(services: Services) -> None:
    add(services, "d" * 64, 5)
    add(services, "e" * 64, 5)
    with services.database.writing() as connection:
        table = tables.client_certificate
        connection.execute(table.update().where(table.c.fingerprint == "d" * 64).values(removed_at="2026-01-01"))
        connection.execute(table.update().where(table.c.fingerprint == "e" * 64).values(not_after=None))
    note_ends(services, datetime.now(UTC))
    assert {one["name"] for one in warnings(services)} == {"GATEWAY_MLLP_CERTIFICATE"}
    with services.database.reading() as connection:
        assert [one.until for one, _ in of_clients(connection)[ENGINE]] == [None]


def test_a_file_that_holds_no_certificate_is_seen_and_warned_of_by_nobody(services: Services, tmp_path: Path) -> None:
    (tmp_path / "gateway.pem").write_text("none")
    with services.database.reading() as connection:
        (one,) = held(connection, services.settings)
    assert (one.used_for, one.fingerprint, one.until) == ("GATEWAY_MLLP_CERTIFICATE", None, None)
    note_ends(services, datetime.now(UTC))
    assert warnings(services) == []


def test_a_certificate_that_has_run_out_is_not_registered(services: Services) -> None:
    with pytest.raises(ClientRefused, match="run out"):
        add(services, "f" * 64, -0.01)


@pytest.mark.parametrize("count", [0, 2])
def test_one_certificate_is_one(count: int) -> None:
    pem = authority().issue("engine").certificate.decode() * count
    with pytest.raises(CertificateUnusable, match="not one PEM certificate"):
        Certificate.of(pem or "none")


def test_what_openssl_writes_above_a_certificate_is_no_fault() -> None:
    pem = authority().issue("engine").certificate.decode()
    assert Certificate.of("Certificate:\n    Data:\n" + pem) == Certificate.of(pem)
