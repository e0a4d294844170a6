"""The process log carries what its catalogue names and repeats nobody else's words (P7)."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.logs import JsonLines, Line, configure, say

PRIVATE = "Synthetic Person, 999 000 0018"


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What the gateway's formatter makes of everything logged, as lines."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Keeping()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture
def restored() -> Iterator[None]:
    """Puts the process's logging back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    own = logging.getLogger("gateway").level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("gateway").setLevel(own)


@pytest.mark.parametrize("line", Line)
def test_a_line_is_one_json_object_with_its_text_and_fields(line: Line, logged: list[str]) -> None:
    say(line, **dict.fromkeys(line.fields, "code"))
    document = json.loads(logged[-1])
    level, text, fields = line.value
    assert document.pop("at").endswith("+00:00")
    assert document == {
        "level": logging.getLevelName(level).lower(),
        "logger": "gateway",
        "line": line.name,
        "text": text,
        **dict.fromkeys(fields, "code"),
    }


@pytest.mark.parametrize("line", Line)
def test_a_field_outside_the_list_raises_and_nothing_is_written(line: Line, logged: list[str]) -> None:
    with pytest.raises(TypeError) as refused:
        say(line, surname=PRIVATE)
    assert PRIVATE not in str(refused.value)
    assert logged == []


def test_a_field_outside_the_list_raises_even_where_the_level_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake is found where it is made, not when somebody turns the level up."""
    monkeypatch.setattr(logging.getLogger("gateway"), "level", logging.CRITICAL)
    with pytest.raises(TypeError):
        say(Line.STOPPED, surname=PRIVATE)


def test_no_field_of_the_catalogue_can_take_the_place_of_the_frame() -> None:
    """A field named like the time or the level would overwrite it."""
    frame = {"at", "level", "logger", "line", "text"}
    assert {line.name for line in Line if line.fields & frame} == set()
    assert len({line.value[1] for line in Line}) == len(Line)


@pytest.mark.parametrize("name", ["sqlalchemy.engine", "uvicorn.error", "httpx", "gateway.store", "gateway"])
def test_another_librarys_words_are_never_repeated(name: str, logged: list[str]) -> None:
    """Neither message, arguments, extra attributes, exception text, traceback nor stack come through."""
    failure = ValueError(PRIVATE)
    logging.getLogger(name).error(
        "insert %s", PRIVATE, exc_info=failure, extra={"parameters": PRIVATE}, stack_info=True
    )
    document = json.loads(logged[-1])
    assert document.pop("at")
    assert document == {"level": "error", "logger": name, "error": "ValueError"}


@settings(deadline=None, max_examples=50)
@given(message=st.text(min_size=3), argument=st.one_of(st.text(min_size=3), st.integers(), st.binary(min_size=3)))
def test_a_foreign_line_is_the_same_whatever_it_says(message: str, argument: object) -> None:
    """Also where message and arguments do not fit each other, which would make the standard formatter fail."""

    def line(msg: str, args: tuple[object, ...]) -> dict[str, object]:
        record = logging.LogRecord("foreign", logging.WARNING, "path", 1, msg, args, None)
        document: dict[str, object] = json.loads(JsonLines().format(record))
        return {key: value for key, value in document.items() if key != "at"}

    assert line(message, (argument,)) == line("", ()) == {"level": "warning", "logger": "foreign"}


@pytest.mark.usefixtures("restored")
def test_every_librarys_log_goes_through_the_formatter(monkeypatch: pytest.MonkeyPatch) -> None:
    """`configure` replaces what handlers there were; what others say in passing, such as URLs, is not written."""
    monkeypatch.setattr(sys, "stderr", sys.stdout)
    configure()
    configure()
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler.formatter, JsonLines)
    assert logging.getLogger("gateway").isEnabledFor(logging.INFO)
    for other in ("alembic.runtime.migration", "httpx", "uvicorn.access", "uvicorn.error"):
        assert logging.getLogger(other).isEnabledFor(logging.WARNING)
        assert not logging.getLogger(other).isEnabledFor(logging.INFO)
