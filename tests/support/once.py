"""What libraries, and the gateway, make anew at each of hundreds of starts, and tests make once for all of them.

Only what is the same each time, and what no test is about. The names are inside their libraries: where a later version
of one has them no more, tests take longer and nothing else happens.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import text

from gateway import services as opening
from gateway.store.database import Database
from gateway.store.migrations import HEAD, current, upgrade


def make_once() -> None:
    """Have it made once in this process."""
    # Commands keep no state: put together once, not at each of the hundreds of calls.
    _instead("typer.testing", "_get_command", cache)
    # What a route takes, its function and its address: the same for every application, which differ in their services.
    _instead("fastapi._compat.v2", "TypeAdapter", lambda _: _adapter)
    _instead("fastapi.routing", "get_dependant", _Dependants)
    _instead("fastapi.routing", "compile_path", cache)
    # The machine's certificates: a client that names none reads them all, 40 ms, and most speak plain HTTP.
    _instead("httpx._transports.default", "create_ssl_context", cache)
    # The schema's history; its own tests run it by its own name, over both engines.
    opening.upgrade = _upgraded  # type: ignore[attr-defined]  # as it was imported there


def _instead(module: str, name: str, other: Callable[[Any], Any]) -> None:
    """Put `other` of a library's own in its place, where it is there."""
    try:
        found = import_module(module)
        setattr(found, name, other(getattr(found, name)))
    except (ImportError, AttributeError):
        return


_ADAPTERS: dict[str, TypeAdapter[Any]] = {}


def _adapter(type_: Any, **config: Any) -> TypeAdapter[Any]:
    key = f"{type_!r} {config!r}"
    if key not in _ADAPTERS:
        _ADAPTERS[key] = TypeAdapter(type_, **config)
    return _ADAPTERS[key]


class _Dependants:
    """What FastAPI finds in a route's function: the same function over other services takes the same (150 ms)."""

    def __init__(self, look: Callable[..., Any]) -> None:
        self._look = look
        self._found: dict[tuple[object, ...], Any] = {}

    def __call__(self, *, path: str, call: Any, **more: Any) -> Any:
        code = getattr(call, "__code__", None) if not hasattr(call, "__wrapped__") else None
        if code is None:
            return self._look(path=path, call=call, **more)
        key = (path, code, *sorted(more.items()))
        if key not in self._found:
            self._found[key] = self._look(path=path, call=call, **more)
        return dataclasses.replace(self._found[key], call=call)


_TABLES: list[str] = []


def _upgraded(database: Database) -> None:
    """The schema in an empty file: the migrations the first time, what came of them from then on (150 ms otherwise)."""
    if not database.is_sqlite or current(database) is not None:
        upgrade(database)
    elif not _TABLES:
        upgrade(database)
        with database.reading() as connection:
            _TABLES.extend(connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")))
    else:
        with database.writing() as connection:
            for statement in (*_TABLES, f"INSERT INTO alembic_version VALUES ('{HEAD}')"):  # noqa: S608 - our own
                connection.exec_driver_sql(statement)
