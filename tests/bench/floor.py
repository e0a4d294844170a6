"""The floors: what an honest minimum of a web service does with the same body, for the gateway to be compared with.

(a) `POST /kept/incidents` validates the document with pydantic and commits two rows, the body as it came and a small
one, in one transaction a request: SQLAlchemy Core in a thread pool, the engine's settings those of the gateway.
(b) `POST /read/incidents` validates the same and keeps nothing.

Neither authenticates, decides, encrypts, seals or signs. Served as `gateway serve` serves.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Literal

import uvicorn
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, create_engine, insert

from gateway.store.database import Database

POOL_SIZES = (1, 4, 8, 16, 32)
"""Threads, and connections where the engine can use more than one: the best of them is the floor."""


class Named(BaseModel):
    """A resource's name (JSON:API 1.1, resource identifier objects)."""

    id: uuid.UUID
    type: str


class Link(BaseModel):
    """A to-many relationship."""

    data: list[Named]


class Included(BaseModel):
    """Any resource beside the incident."""

    id: uuid.UUID
    type: str
    attributes: dict[str, JsonValue]
    relationships: dict[str, Link] = {}


class Attributes(BaseModel):
    """What an incident says of itself; what is not named here is passed over."""

    model_config = ConfigDict(extra="ignore")

    occurrence: str = Field(alias="occurrenceReference", min_length=1, max_length=64)
    version: int = Field(alias="recordVersion", ge=1)
    reported: AwareDatetime = Field(alias="reportedDateTime")
    attended: AwareDatetime | None = Field(None, alias="attendedDateTime")
    marking: str = Field(alias="protectiveMarking")
    description: str = Field(alias="incidentDescription", max_length=65_536)


class Incident(BaseModel):
    """The incident itself."""

    id: uuid.UUID
    type: Literal["incident"]
    attributes: Attributes
    relationships: dict[str, Link]


class Document(BaseModel):
    """A JSON:API document with one incident."""

    data: Incident
    included: list[Included]


_metadata = MetaData()
_body = Table(
    "floor_body",
    _metadata,
    Column("id", String(36), primary_key=True),
    Column("occurrence", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
)
_note = Table(
    "floor_note",
    _metadata,
    Column("id", String(36), primary_key=True),
    Column("body_id", String(36), nullable=False),
    Column("at", String(32), nullable=False),
)

_insert_body, _insert_note = insert(_body), insert(_note)

Writing = Callable[[], AbstractContextManager[Connection]]


def create_app(url: str) -> FastAPI:
    """Both floors over a database of their own; its tables are made here."""
    writing = _writing(url)
    with writing() as connection:
        _metadata.create_all(connection)
    limiter = CapacityLimiter(POOL_SIZES[0])
    app = FastAPI(docs_url=None, redoc_url=None)

    def keep(document: Document, content: bytes) -> str:
        body_id = str(uuid.uuid4())
        now = datetime.now(UTC).isoformat()
        with writing() as connection:
            occurrence = document.data.attributes.occurrence
            connection.execute(_insert_body, {"id": body_id, "occurrence": occurrence, "content": content})
            connection.execute(_insert_note, {"id": str(uuid.uuid4()), "body_id": body_id, "at": now})
        return body_id

    @app.post("/kept/incidents", status_code=201)
    async def kept(document: Document, request: Request) -> dict[str, str]:
        return {"id": await to_thread.run_sync(keep, document, await request.body(), limiter=limiter)}

    @app.post("/read/incidents", status_code=201)
    async def read(document: Document) -> dict[str, str]:
        return {"id": str(document.data.id)}

    @app.post("/threads/{number}")
    async def threads(number: int) -> None:
        limiter.total_tokens = number

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app


def _writing(url: str) -> Writing:
    """SQLite: the gateway's own engine (WAL, synchronous=FULL, one writer at a time). PostgreSQL: a pool for all."""
    if url.startswith("sqlite"):
        return Database(url).writing
    return create_engine(url, pool_size=POOL_SIZES[-1], max_overflow=0).begin


if __name__ == "__main__":
    uvicorn.run(
        create_app(sys.argv[2]),
        port=int(sys.argv[1]),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
    )
