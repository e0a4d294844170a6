"""A small world for the token tests: a database, a journal, registered clients, and an app of these routes only."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from audit import sql as log_sql
from audit.entry import Entry
from gateway.evidence import OPERATOR_LOG
from gateway.keys import Keyring, create
from gateway.settings import Settings
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.journal import Journals
from gateway.tokens.check import TokenCheck
from gateway.tokens.clients import AddClient, Clients
from gateway.tokens.jwks import ALGORITHMS
from gateway.tokens.routes import routes
from gateway.tokens.server import ASSERTION_TYPE
from gateway.web.http import CallIds

ISSUER = "https://gateway.example"
TOKEN_URL = ISSUER + "/oauth2/token"
POLICE, HOSPITAL, AUDITOR = "police-rms", "hospital-team", "auditor"
SCOPES = {
    POLICE: ("police:incident.write", "police:feedback.read"),
    HOSPITAL: ("health:referral.read", "health:referral.write"),
    AUDITOR: ("audit:log.read",),
}

_RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"})  # making one takes longer than most tests
_EC = ECKey.generate_key("P-256", {"kid": "ec-1"})


def jwks(*keys: Key) -> dict[str, Any]:
    """The public halves."""
    return dict(KeySet(list(keys)).as_dict(private=False))


def claims_for(client_id: str, **changes: Any) -> dict[str, Any]:
    """Good claims; a change of None leaves the claim out."""
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": TOKEN_URL,
        "jti": str(uuid.uuid4()),
        "exp": now + 300,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: Mapping[str, Any], key: Key, alg: str = "RS512", **header: Any) -> str:
    """A JWT with the key's `kid` in its header, unless the header says otherwise."""
    full = {"alg": alg, "typ": "JWT", "kid": key.kid, **header}
    allowed = [*ALGORITHMS, "none", "HS256"]
    return jwt.encode({name: value for name, value in full.items() if value is not None}, dict(claims), key, allowed)


class World:
    """The token server, and clients to call it."""

    def __init__(self, folder: Path, **settings: int) -> None:
        self.settings = Settings.model_validate({"public_url": ISSUER, "data_dir": folder, **settings})
        self.keyring: Keyring = create(folder / "keys", "development")
        self.database = Database(self.settings.database)
        origin = f"{self.settings.log_origin_prefix}/{OPERATOR_LOG}"
        Path(str(self.database.url.database)).write_bytes(_tables())
        with self.database.writing() as connection:
            log_sql.create_log(connection, OPERATOR_LOG, origin, self.keyring.signer(origin), datetime.now(UTC))
        self.journals = Journals(self.database, lambda _log: self.keyring.signer(origin))
        self.clients = Clients(self.database, self.settings.revocation_refresh_seconds)
        self.check = TokenCheck(self.settings, self.keyring, self.clients)
        self.app = FastAPI()
        self.app.add_middleware(CallIds)
        self.app.include_router(routes(self.settings, self.keyring, self.clients, self.journals, self.check))
        self.keys: dict[str, Key] = {}
        self.add(POLICE, _RSA)
        self.add(HOSPITAL, _EC, recipient="idva-north")
        self.add(AUDITOR, OKPKey.generate_key("Ed25519", {"kid": "ed-1"}))

    def add(self, client_id: str, key: Key, recipient: str | None = None) -> None:
        """Register a client."""
        unit = AddClient(
            client_id,
            f"The system of {client_id}",
            f"ORG-{client_id}",
            scopes=SCOPES.get(client_id, SCOPES[POLICE]),
            agreements=["provide-north"],
            jwks=jwks(key),
            recipient=recipient,
        )
        self.submit(unit)
        self.keys[client_id] = key

    def submit(self, unit: Any) -> Any:
        """Commit a unit and have this process know."""
        done = self.journals.of(OPERATOR_LOG).submit_and_wait(unit)
        self.clients.refresh()
        return done.value

    def assertion(self, client_id: str = POLICE, alg: str | None = None, **changes: Any) -> str:
        """A good assertion, but for the changes."""
        return signed(
            claims_for(client_id, **changes), self.keys[client_id], alg or _ALG[self.keys[client_id].key_type]
        )

    def form(self, assertion: str | None = None, **changes: str | None) -> dict[str, str]:
        """A good token request, but for the changes; None leaves a parameter out."""
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
            **changes,
        }
        return {name: value for name, value in form.items() if value is not None}

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call."""
        return self.calls([(method, path, options)])[0]

    def calls(self, several: Sequence[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
        """Calls made at once."""

        async def run() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as client:
                return await asyncio.gather(*(client.request(m, path, **options) for m, path, options in several))

        return asyncio.run(run())

    def post(self, path: str = "/oauth2/token", **form: str) -> httpx.Response:
        """Post a form."""
        return self.call("POST", path, data=form)

    def token(self, client_id: str = POLICE, **changes: Any) -> str:
        """An access token, got the proper way."""
        answer = self.post(**self.form(self.assertion(client_id, **changes)))
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def entries(self) -> list[Entry]:
        """Everything sealed in the operator's log."""
        with self.database.reading() as connection:
            size = log_sql.read_head(connection, OPERATOR_LOG).size
            return [stored.entry() for stored in log_sql.leaves(connection, OPERATOR_LOG, 0, size)]

    def close(self) -> None:
        """Stop."""
        self.journals.close()
        self.database.close()


@cache
def _tables() -> bytes:
    """A database file with every table and no row: making the tables takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tables.sqlite3"
        database = Database(f"sqlite:///{path}")
        with database.writing() as connection:
            tables.metadata.create_all(connection)
            log_sql.metadata.create_all(connection)
        database.close()  # its write-ahead log is then part of the file
        return path.read_bytes()


_ALG = {"RSA": "RS512", "EC": "ES256", "OKP": "Ed25519"}


class Tick:
    """A clock that stands until it is moved."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def world(folder: Path) -> Iterator[World]:
    """A world for one test, in a folder of its own; the body of a fixture."""
    made = World(folder)
    yield made
    made.close()
