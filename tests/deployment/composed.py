"""Compose files as `docker compose` reads them: variables filled in, several files merged, each service whole.

Read is what this project's files say and nothing more: an instruction that is not known here is an error, so that a
file cannot say what was never tried.
Source: compose-spec, sections "Merge" and "Interpolation".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\{(\w+)(?:(:[?-])([^}]*))?\}")
_KNOWN = frozenset({
    "build", "cap_add", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "networks",
    "ports", "read_only", "restart", "secrets", "security_opt", "shm_size", "stop_grace_period", "stop_signal", "tmpfs",
    "volumes",
})  # fmt: skip


@dataclass(frozen=True)
class Service:
    """One service. Empty where the file says nothing; `grace` is in seconds."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    secrets: tuple[str, ...]
    volumes: tuple[str, ...]
    networks: tuple[str, ...]
    ports: tuple[str, ...]
    tmpfs: tuple[str, ...]
    read_only: bool
    dropped: bool
    added: tuple[str, ...]
    no_new_privileges: bool
    test: tuple[str, ...]
    stop_signal: str
    grace: float


@dataclass(frozen=True)
class Composed:
    """Everything the files say together. Paths of `secrets` are on the host."""

    services: Mapping[str, Service]
    secrets: Mapping[str, Path]
    networks: tuple[str, ...]


def read(files: Sequence[Path], given: Mapping[str, str]) -> Composed:
    """The files, merged in their order. Raises ValueError for a variable that must be given and was not."""
    said = merged(files, given)
    services = {name: _service(name, one) for name, one in said["services"].items()}
    secrets = {name: Path(one["file"]) for name, one in said["secrets"].items()}
    return Composed(services, secrets, tuple(said["networks"]))


def merged(files: Sequence[Path], given: Mapping[str, str]) -> dict[str, Any]:
    """What the files say together. Raises ValueError as above."""
    said: dict[str, Any] = {}
    for file in files:
        said = _merged(said, yaml.safe_load(filled(file.read_text(), given)))
    return said


def filled(text: str, given: Mapping[str, str]) -> str:
    """Text with `${NAME:?why}` and `${NAME:-otherwise}` filled in."""

    def value(found: re.Match[str]) -> str:
        name, how, rest = found.groups()
        if given.get(name):
            return given[name]
        if how != ":-":
            raise ValueError(f"{name}: {rest}")
        return str(rest)

    return _VARIABLE.sub(value, text)


def _merged(old: Any, new: Any) -> Any:
    """Mappings by key, sequences one after the other, all else replaced; a command is replaced as a whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        whole = {"command", "test"}
        return old | {
            name: new[name] if name in whole else _merged(old[name], new[name]) if name in old else new[name]
            for name in new
        }
    return [*old, *new] if isinstance(old, list) and isinstance(new, list) else new


def _service(name: str, said: dict[str, Any]) -> Service:
    if unknown := said.keys() - _KNOWN:
        raise ValueError(f"{name}: {sorted(unknown)} is not tried here")
    health = said.get("healthcheck", {})
    return Service(
        name=name,
        image=said["image"].partition(":")[0],
        command=tuple(said.get("command", ())),
        environment={key: str(value) for key, value in said.get("environment", {}).items()},
        secrets=tuple(said.get("secrets", ())),
        volumes=tuple(said.get("volumes", ())),
        networks=tuple(said.get("networks", ())),
        ports=tuple(said.get("ports", ())),
        tmpfs=tuple(said.get("tmpfs", ())),
        read_only=said.get("read_only", False),
        dropped="ALL" in said.get("cap_drop", ()),
        added=tuple(said.get("cap_add", ())),
        no_new_privileges="no-new-privileges:true" in said.get("security_opt", ()),
        test=() if health.get("disable") else tuple(health.get("test", ())),
        stop_signal=said.get("stop_signal", ""),
        grace=float(said.get("stop_grace_period", "10s").rstrip("s")),
    )
