"""The register of clients: additions and revocations are sealed, and seen by every process in time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import text, update

from audit.entry import Outcome
from gateway.errors import NotSealed, face
from gateway.evidence import OPERATOR_LOG
from gateway.store import tables
from gateway.store.database import Database
from gateway.tokens.clients import AddClient, ClientRefused, Clients, RevokeClient, RevokeToken
from gateway.tokens.jwks import KeysInvalid
from tests.gateway.tokens_support import POLICE, Tick, World, jwks, world


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path)


KEY = ECKey.generate_key("P-256", {"kid": "k1"})


def unit(**changes: Any) -> AddClient:
    given = {
        "client_id": "new",
        "name": "A system",
        "organisation": "ORG",
        "scopes": ["audit:log.read"],
        "agreements": ["provide-north"],
        "jwks": jwks(KEY),
        **changes,
    }
    return AddClient(given.pop("client_id"), given.pop("name"), given.pop("organisation"), **given)


def test_a_client_added_is_there_whole(tokens: World) -> None:
    tokens.submit(unit(recipient="team", agreements=["b", "a"]))
    found = tokens.clients.get("new")
    assert found is not None
    assert (found.name, found.organisation, found.recipient) == ("A system", "ORG", "team")
    assert found.scopes == {"audit:log.read"}
    assert found.agreements == {"a", "b"}
    assert [key.thumbprint() for key in found.keys] == [KEY.thumbprint()]
    assert found.revoked_at is None


def test_an_addition_is_sealed_with_what_was_granted_and_not_the_name(tokens: World) -> None:
    tokens.submit(unit(recipient="team"))
    entry = tokens.entries()[-1]
    assert entry.event == "client-added"
    assert entry.detail == {
        "client": "new",
        "organisation": "ORG",
        "recipient": "team",
        "scopes": "audit:log.read",
        "agreements": "provide-north",
        "keys": KEY.thumbprint(),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": ""},
        {"client_id": "a b"},
        {"client_id": "x" * 65},
        {"client_id": "p\u043elice"},
        {"client_id": "x\n"},
        {"name": ""},
        {"name": "a\nb"},
        {"organisation": "x" * 33},
        {"recipient": "a b"},
        {"agreements": ["a,b"]},
        {"scopes": []},
        {"scopes": ["audit:log.write"]},
        {"scopes": ["Audit:log.read"]},
    ],
)
def test_a_client_out_of_form_is_refused_when_the_unit_is_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ClientRefused):
        unit(**changes)


def test_a_private_key_is_refused_when_the_unit_is_made() -> None:
    with pytest.raises(KeysInvalid):
        unit(jwks={"keys": [KEY.as_dict(private=True)]})


def test_an_id_is_never_used_again(tokens: World) -> None:
    tokens.submit(unit())
    tokens.submit(RevokeClient("new"))
    before = len(tokens.entries())
    with pytest.raises(ClientRefused):
        tokens.submit(unit())
    assert len(tokens.entries()) == before


def test_revoking_is_sealed_and_marks_the_client(tokens: World) -> None:
    tokens.submit(RevokeClient(POLICE))
    entry = tokens.entries()[-1]
    assert (entry.event, entry.detail) == ("client-revoked", {"client": POLICE})
    found = tokens.clients.get(POLICE)
    assert found is not None
    assert found.revoked_at == entry.time


@pytest.mark.parametrize("client_id", ["nobody", "", "x" * 200])
def test_a_client_that_is_not_there_cannot_be_revoked(tokens: World, client_id: str) -> None:
    with pytest.raises(ClientRefused):
        tokens.submit(RevokeClient(client_id))


def test_a_client_is_revoked_once(tokens: World) -> None:
    tokens.submit(RevokeClient(POLICE))
    with pytest.raises(ClientRefused):
        tokens.submit(RevokeClient(POLICE))


def test_a_token_revoked_twice_is_sealed_twice_and_stays_revoked(tokens: World) -> None:
    for _ in range(2):
        tokens.submit(RevokeToken("t1", 4_000_000_000))
    assert [entry.event for entry in tokens.entries()[-2:]] == ["token-revoked"] * 2
    assert tokens.entries()[-1].outcome is Outcome.PERMITTED
    assert tokens.clients.current().revoked == {"t1"}


def test_a_revoked_token_that_has_expired_is_no_longer_held(tokens: World) -> None:
    tokens.submit(RevokeToken("t1", 1_000_000_000))
    assert tokens.clients.current().revoked == frozenset()


def test_a_change_by_another_process_is_seen_when_the_snapshot_is_too_old(tokens: World) -> None:
    clock = Tick(0.0)
    elsewhere = Clients(tokens.database, 1.0, clock=clock)
    held = elsewhere.get(POLICE)
    assert held is not None
    tokens.journals.of(OPERATOR_LOG).submit_and_wait(RevokeClient(POLICE))
    tokens.journals.of(OPERATOR_LOG).submit_and_wait(RevokeToken("t1", 4_000_000_000))
    clock.now = 0.99
    assert elsewhere.get(POLICE) is held
    clock.now = 1.0
    changed = elsewhere.get(POLICE)
    assert changed is not None
    assert changed.revoked_at is not None
    assert elsewhere.current().revoked == {"t1"}


def test_a_client_that_has_not_changed_is_not_read_into_keys_again(tokens: World) -> None:
    before = tokens.clients.get(POLICE)
    tokens.clients.refresh()
    assert tokens.clients.get(POLICE) is before


def test_where_the_register_cannot_be_read_nobody_is_let_in(tokens: World) -> None:
    clock = Tick(0.0)
    elsewhere = Clients(tokens.database, 1.0, clock=clock)
    assert elsewhere.get(POLICE) is not None
    with tokens.database.writing() as connection:
        connection.execute(text("ALTER TABLE client RENAME TO client_away"))
    clock.now = 2.0
    with pytest.raises(NotSealed) as failed:
        elsewhere.get(POLICE)
    assert face(failed.value).status == 503


def test_a_client_whose_keys_were_changed_elsewhere_can_prove_nothing_and_others_can(tokens: World) -> None:
    with tokens.database.writing() as connection:
        connection.execute(update(tables.client).where(tables.client.c.id == POLICE).values(jwks='{"keys": [{}]}'))
    tokens.clients.refresh()
    assert tokens.post(**tokens.form()).json()["error"] == "invalid_client"
    assert tokens.post(**tokens.form(tokens.assertion("auditor"))).status_code == 200


def test_a_database_that_is_not_there_is_refused_alike(tokens: World) -> None:
    empty = Database(f"sqlite:///{tokens.settings.data_dir / 'empty.sqlite3'}")
    with pytest.raises(NotSealed):
        Clients(empty, 1.0).current()
    empty.close()
