"""MLLP framing: however the stream is cut, the same comes out; memory is bounded; nothing is dropped unsaid."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.mllp import Found, Framer, Garbage, Stray, TooLong, framed

MAX = 40
HEADERS = (b"MSH", b"FHS", b"BHS")

# Streams made of what matters: marks, halves of marks, headers, and filling of every length around the limit.
PIECES = st.one_of(
    st.sampled_from([b"\x0b", b"\x1c\r", b"\x1c", b"\r", b"\n", b"M", b"S", b"H", b"\x0bMSH|", b"\x0bFHS|", b"\x0bMS"]),
    st.integers(0, MAX + 6).map(lambda n: b"x" * n),
    st.binary(max_size=8).map(lambda b: b"\x0bMSH|" + b + b"\x1c\r"),
)
STREAMS = st.lists(PIECES, max_size=14).map(b"".join)


def fed(stream: bytes, cuts: list[int]) -> list[Found]:
    framer = Framer(MAX)
    found: list[Found] = []
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for begin, end in itertools.pairwise(edges):
        found += framer.feed(stream[begin:end])
    return [*found, *framer.close()]


def slowly(stream: bytes) -> list[Found]:
    """The slow twin: the whole stream at once, byte by byte, written from the rules in the head of `adapters.mllp`."""
    found: list[Found] = []
    content: bytes | None = None  # of the message that is being read
    lost = False
    noise = 0
    for at in range(len(stream)):
        here = stream[at : at + 1]
        ends, begins = _ends(stream, at), here == b"\x0b" and stream[at + 1 : at + 4] in HEADERS
        if content is None and not lost:
            if here == b"\x0b":
                found += [Garbage(Stray.BETWEEN, noise)] if 0 < noise <= MAX else []
                content, noise = b"", 0
            elif here not in {b"\r", b"\n"}:
                noise += 1
                found += [TooLong(MAX)] if noise == MAX + 1 else []
        elif ends or begins:
            if content is not None:
                found.append(content if ends else Garbage(Stray.UNFINISHED, len(content)))
            content, lost = (None if ends else b""), False
        elif content is not None:
            content += here
            # Whether this is too long is known three bytes later, by which the message could have ended.
            if len(content) > MAX and (at + 3 < len(stream) or any(_ends(stream, n) for n in range(at, len(stream)))):
                found.append(TooLong(MAX))
                content, lost = None, True
    if content is not None:
        found.append(Garbage(Stray.UNFINISHED, len(content)))
    return found + ([Garbage(Stray.BETWEEN, noise)] if 0 < noise <= MAX and content is None and not lost else [])


def _ends(stream: bytes, at: int) -> bool:
    return stream[at : at + 1] == b"\x1c" and stream[at + 1 : at + 2] in {b"\r", b"\x0b"}


@given(stream=STREAMS, cuts=st.lists(st.integers(0, 10_000), max_size=8))
@example(stream=b"\x0bMSH|" + b"x" * MAX + b"\x1c\r", cuts=[44])
@example(stream=b"\x0b" + b"x" * MAX + b"\x1c\r", cuts=[1, 41, 42])
@example(stream=b"\x0b" + b"x" * (MAX + 1) + b"\x0bMSH|1\x1c\r", cuts=[])
@example(stream=b"\x0b" + b"x" * MAX + b"\x0bMSH|1\x1c\r", cuts=[])
@settings(max_examples=300, deadline=None)
def test_any_split_of_the_stream_gives_what_the_slow_twin_reads(stream: bytes, cuts: list[int]) -> None:
    assert fed(stream, cuts) == slowly(stream)
    assert fed(stream, list(range(len(stream)))) == slowly(stream)


@given(messages=st.lists(st.binary(min_size=1, max_size=MAX).filter(lambda b: b"\x0b" not in b and b"\x1c" not in b)))
@settings(max_examples=100, deadline=None)
def test_what_is_framed_is_read_back(messages: list[bytes]) -> None:
    assert fed(b"".join(map(framed, messages)), [3, 7, 19]) == messages


@pytest.mark.parametrize("byte", [b"\x0b", b"\x1c"])
def test_a_message_that_holds_a_byte_of_the_frame_is_not_framed(byte: bytes) -> None:
    with pytest.raises(ValueError, match="frames are made of"):
        framed(b"MSH|" + byte + b"|")


def test_bytes_between_frames_are_counted_and_line_ends_are_passed_over() -> None:
    stream = b"GET / HTTP/1.1\r\n" + framed(b"MSH|1") + b"\r\n\r\n" + framed(b"MSH|2") + b"tail"
    assert fed(stream, []) == [Garbage(Stray.BETWEEN, 14), b"MSH|1", b"MSH|2", Garbage(Stray.BETWEEN, 4)]


def test_an_end_without_a_beginning_is_garbage() -> None:
    assert fed(b"\x1c\r" + framed(b"MSH|1"), []) == [Garbage(Stray.BETWEEN, 1), b"MSH|1"]


def test_a_start_byte_in_a_text_is_part_of_it_and_before_a_header_it_begins_anew() -> None:
    assert fed(b"\x0bMSH|a\x0bb\x1c\r", []) == [b"MSH|a\x0bb"]
    assert fed(b"\x0bMSH|half\x0bMSH|whole\x1c\r", []) == [Garbage(Stray.UNFINISHED, 8), b"MSH|whole"]


def test_an_end_without_its_carriage_return_ends_where_the_next_begins() -> None:
    assert fed(b"\x0bMSH|1\x1c\x0bMSH|2\x1c", []) == [b"MSH|1", Garbage(Stray.UNFINISHED, 6)]


def test_a_frame_of_the_longest_length_is_read_and_one_byte_more_is_not() -> None:
    framer = Framer(10)
    assert framer.feed(b"\x0b" + b"x" * 10 + b"\x1c\r") == [b"x" * 10]
    assert framer.feed(b"\x0b" + b"x" * 11 + b"\x1c\r" + framed(b"MSH|1")) == [TooLong(10), b"MSH|1"]


def test_after_what_is_too_long_the_next_frame_is_read() -> None:
    found = fed(b"\x0b" + b"x" * 500 + framed(b"MSH|1") + b"y" * 500 + framed(b"MSH|2"), [90, 200, 480])
    assert found == [TooLong(MAX), b"MSH|1", TooLong(MAX), b"MSH|2"]


def test_64_mebibytes_without_an_end_are_said_once_and_never_held() -> None:
    framer = Framer(1024 * 1024)
    piece = b"x" * 65536
    found = framer.feed(b"\x0bMSH|")
    tracemalloc.start()
    for _ in range(1024):
        found += framer.feed(piece)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [TooLong(1024 * 1024)]
    assert most < 4 * 1024 * 1024
    assert framer.feed(b"\x1c\r" + framed(b"MSH|1")) == [b"MSH|1"]


def test_a_reader_begins_anew_after_the_stream_has_ended() -> None:
    framer = Framer(MAX)
    assert framer.feed(b"\x0bMSH|half") == []
    assert framer.close() == [Garbage(Stray.UNFINISHED, 8)]
    assert framer.close() == []
    assert framer.feed(framed(b"MSH|1")) == [b"MSH|1"]


def test_a_limit_below_one_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Framer(0)
