"""The house rules a machine can keep: where things lie, what may import what, and lists that must agree with the code.

Each test reads the tree as it is: the files git tracks, and those it would add.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

import gateway
from gateway import errors
from gateway.errors import FACES, Face, GatewayError, face
from gateway.logs import Line
from gateway.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("gateway", "adapters", "mappings", "audit")
TOP_LEVEL = {*ROOMS, "tests", "docker", "pyproject.toml", "README.md"}
COMMANDS = ("pip install -e . && gateway demo", "pip install -e '.[test]' && pytest")
DECISION_LINES = 15


@cache
def tree() -> tuple[Path, ...]:
    """Every file of the project that git tracks or would add, relative to its top level."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what belongs to the project cannot be told from what lies beside it")
    # The owner of a checkout may be another user than the one who runs the tests, as in a container.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(sorted(path for name in set(listed.split("\0")) if name and (ROOT / (path := Path(name))).is_file()))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_bytes(), str(path))


def modules(*rooms: str) -> Iterator[Path]:
    return (path for path in tree() if path.suffix == ".py" and path.parts[0] in rooms)


# Where things lie


def test_the_top_level_holds_what_the_design_names_and_dot_files() -> None:
    found = {path.parts[0] for path in tree()}
    assert {name for name in found - TOP_LEVEL if not name.startswith(".")} == set()
    assert found >= TOP_LEVEL


def test_import_contracts_are_kept() -> None:
    """Rooms, layers, purity; a module of `gateway` that no layer names breaks a contract too."""
    # A process of its own: the linter sets up logging for itself, and disables every logger there is.
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_ships_with_all_its_files() -> None:
    """Profiles, code lists, agreements and migrations are data in the packages; nothing leaves any of them out."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert build == {"targets": {"wheel": {"packages": list(ROOMS)}}}


def test_every_module_opens_with_its_promise() -> None:
    """A sentence at least; a package that only gathers modules says what they are."""
    without = [path for path in modules(*ROOMS) if "." not in (ast.get_docstring(parsed(path)) or "")]
    assert without == []


def test_every_decision_fits_on_a_card() -> None:
    """Decided, because, instead of, undo if: at most 15 lines under each heading."""
    too_long = {}
    for path in tree():
        if path.name == "DECISIONS.md":
            for entry in re.split(r"^(?=## )", (ROOT / path).read_text(), flags=re.MULTILINE)[1:]:
                title, *lines = entry.strip().split("\n")
                if len(lines) > DECISION_LINES or not lines:
                    too_long[f"{path}: {title}"] = len(lines)
    assert too_long == {}


FORBIDDEN = {
    # The brackets keep these patterns from finding themselves.
    "names a package registry's host": re.compile(
        r"pyp[i]\.org|pythonhoste[d]|registry[.]npm|deb[.]debian|crates[.]io|proxy[.]golang"
    ),
    "names a path of one machine": re.compile(r"(?<![\w.])/(?:work|farm|root|home)/"),
    "holds a private key": re.compile(r"BEGIN [A-Z ]*PRIVATE KE[Y]"),
}
# In capitals, as such marks are written; a `todo` may be an ordinary name, `…-placeholder` the name of a fault.
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK|NotImplementedError|(?<!-)(?i:stub|placeholder))\b")


def test_no_file_names_a_registry_a_machine_or_a_key_and_nothing_is_left_unfinished() -> None:
    found = []
    for path in tree():
        try:
            text = (ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            found += [f"{path}:{number} {what}" for what, pattern in FORBIDDEN.items() if pattern.search(line)]
            if path.parts[0] != "tests" and UNFINISHED.search(line):
                found.append(f"{path}:{number} is unfinished")
    assert found == []


# Errors


@cache
def error_classes() -> dict[str, type[GatewayError]]:
    """Every error of the gateway, wherever it is defined."""
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if not module.name.startswith(("gateway.__main__", "gateway.store.migrations.")):
            importlib.import_module(module.name)
    waiting, found = [GatewayError], {}
    while waiting:
        one = waiting.pop()
        found[one.__name__] = one
        waiting += one.__subclasses__()
    return found


def test_every_error_that_can_be_raised_has_a_face_of_its_own() -> None:
    """A room may narrow an error of the tree; it then shows its parent's face, never that of an unforeseen one."""
    everywhere = set(error_classes().values())
    assert {one for one in everywhere - {GatewayError} if not FACES.keys() & set(one.__mro__)} == set()
    tree_of_errors = {one for one in everywhere if one.__module__ == errors.__name__}
    parents = {base for one in tree_of_errors for base in one.__bases__}
    assert tree_of_errors - parents - FACES.keys() == set()
    types = [shown.type for shown in FACES.values()]
    assert len(types) == len(set(types))
    assert all(400 <= shown.status < 600 for shown in FACES.values())


def test_an_error_nobody_foresaw_shows_nothing_of_itself() -> None:
    """Not even its class chooses the face."""
    assert (
        face(ValueError("a name"))
        == face(KeyError("a name"))
        == Face(500, "internal", "Something failed here", "exception")
    )


def test_the_error_tree_at_the_top_of_its_file_is_the_tree() -> None:
    """Every class, each under its parent."""
    drawn: dict[str, str | None] = {}
    branch: list[str] = []
    for line in (errors.__doc__ or "").split("\n"):
        if found := re.match(r"^ {4}((?:[│├└─ ]{4})*)([A-Z]\w+)(?:  |$)", line):
            depth = len(found[1]) // 4
            branch[depth:] = [found[2]]
            drawn[found[2]] = branch[depth - 1] if depth else None
    actual = {
        name: None if one is GatewayError else one.__bases__[0].__name__
        for name, one in error_classes().items()
        if one.__module__ == errors.__name__
    }
    assert drawn == actual


# The process log


def said() -> Iterator[tuple[str, ast.Call]]:
    """Every call of `say`, with where it is."""
    for path in modules("gateway"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", None)) == "say":
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Attribute) and ast.unparse(first.value) == "Line":
                    yield f"{path}:{node.lineno}", node


def test_every_line_of_the_catalogue_is_said_somewhere_with_exactly_its_fields() -> None:
    """A field the catalogue does not name has nowhere to go; one that nobody fills is a promise nobody keeps (P7)."""
    used: set[str] = set()
    wrong = []
    for where, call in said():
        line = Line[call.args[0].attr]  # type: ignore[attr-defined]  # said() yields these only
        used.add(line.name)
        given = {keyword.arg for keyword in call.keywords}
        if given != line.fields or len(call.args) != 1:
            wrong.append(f"{where} says {line.name} with {given}")
    assert wrong == []
    assert used == set(Line.__members__)


def test_nothing_but_the_catalogue_writes_to_the_log() -> None:
    """No module has a logger of its own, so that no text is made up on the way."""
    importing = []
    for path in modules(*ROOMS):
        for node in ast.walk(parsed(path)):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if path != Path("gateway/logs.py") and {"logging", "warnings"} & set(names):
                importing.append(str(path))
    assert importing == []


# README.md


@cache
def test_what_only_paper_needs_is_loaded_with_the_first_paper() -> None:
    """The typesetter is a fifteenth of a start: no module imports it at its top, but the one that sets type."""
    paper = {"pypdf", "reportlab", "gateway.paper.pdf"}
    early = set()
    for path in modules("gateway"):
        for node in parsed(path).body:
            names = [one.name for one in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            within = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            whole = {within, *(f"{within}.{name}".lstrip(".") for name in names)}
            if paper & {part for name in whole for part in (name, name.partition(".")[0])}:
                early.add(path.as_posix())
    assert early == {"gateway/paper/pdf.py"}


def readme() -> str:
    return (ROOT / "README.md").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_has_the_command_and_the_gate_runs_it(command: str) -> None:
    assert command in readme()
    gate = ROOT / ".ci" / "run"
    assert f'"{command}"' in gate.read_text()
    assert gate.stat().st_mode & 0o111


def test_the_readme_lists_every_setting_with_its_default() -> None:
    """Rows `| GATEWAY_X | default | meaning |`; the default as one would set it, `unset` where there is none."""
    rows = re.findall(r"^\| *`?(GATEWAY_[A-Z_]+)`? *\| *(.*?) *\| *(.+?) *\|$", readme(), re.MULTILINE)
    assert {name: default.strip("`") for name, default, _ in rows} == {
        f"GATEWAY_{name.upper()}": as_set(field.default) for name, field in Settings.model_fields.items()
    }
    assert len(rows) == len(Settings.model_fields)


def as_set(default: Any) -> str:
    """A default as the environment variable would be written."""
    assert default is not PydanticUndefined, "defaults run"
    if default is None:
        return "unset"
    if isinstance(default, bool):
        return str(default).lower()
    return str(default.value if isinstance(default, Enum) else default)


def test_every_setting_is_read_by_something() -> None:
    """A setting that changes nothing is a promise nobody keeps."""
    own = inspect.getsource(Settings)
    code = "\n".join((ROOT / path).read_text() for path in modules("gateway") if path.name != "settings.py")
    unread = [
        name
        for name in Settings.model_fields
        if not re.search(rf"\.{name}\b", code) and not re.search(rf"self\.{name}\b", own)
    ]
    assert unread == []
