"""The listener by bytes and events: any split, garbage, floods, drips, crowds, certificates and stopping."""

from __future__ import annotations

import asyncio
import random
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from adapters.mllp import TooLong, framed
from gateway.evidence import Caller
from gateway.mllp.door import Door
from gateway.mllp.listener import Bounds, Handle, Listener
from gateway.mllp.tls import TlsUnusable, fingerprint, server_context
from tests.support.mllp import HOST, Authority, Pair, Sender, authority

BOUNDS = Bounds(message_bytes=4096, message_seconds=20.0, idle_seconds=20.0, connections=64, connections_per_client=64)
TRUST = Caller("trust-engine", "RXL", "idva-team", frozenset(), frozenset())
MIB = 1024 * 1024


class AnyoneAs:
    """A door that lets one client in, by certificate or, where it names none, anybody."""

    def __init__(self, fingerprint: str | None = None) -> None:
        self.fingerprint = fingerprint
        self.revoked = False

    async def client(self, shown: str | None) -> str | None:
        """The client, where the certificate is the one that is known."""
        return TRUST.client if shown == self.fingerprint else None

    async def caller(self, _: str) -> Caller | None:
        """The caller, until it is revoked."""
        return None if self.revoked else TRUST


async def echo(_: Caller, one: bytes | TooLong) -> Sequence[bytes]:
    """An answer that names what it answers."""
    return (b"too long",) if isinstance(one, TooLong) else (b"got " + one,)


@asynccontextmanager
async def listening(
    handle: Handle = echo,
    bounds: Bounds = BOUNDS,
    door: AnyoneAs | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[tuple[Listener, int]]:
    """A listener on a free port, stopped in the end."""
    listener = Listener(cast("Door", door or AnyoneAs()), handle, bounds, tls)
    port = await listener.open(HOST, 0)
    try:
        yield listener, port
    finally:
        await listener.stop()


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run one test's coroutine, within a time that no test needs."""

    async def within() -> None:
        async with asyncio.timeout(60):
            await work()

    asyncio.run(within())


def test_however_the_stream_is_cut_the_same_messages_are_answered_in_their_order() -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    wanted = [bytes(chance.choices(b"MSH|^~\r abc", k=chance.randrange(1, 400))) for _ in range(40)]
    stream = b"".join(framed(one) + chance.choice([b"", b"\r\n", b"noise"]) for one in wanted)

    async def work() -> None:
        async with listening() as (_, port):
            for most in (1, 7, 200, len(stream)):
                sender = await Sender.connect(port)
                at = 0
                while at < len(stream):
                    size = chance.randrange(1, most + 1)
                    await sender.send(stream[at : at + size])
                    at += size
                assert [await sender.answer() for _ in wanted] == [b"got " + one for one in wanted]
                await sender.close()

    run(work)


def test_a_message_that_never_ends_is_refused_once_and_costs_no_more_memory_than_one_may() -> None:
    async def work() -> None:
        async with listening() as (_, port):
            sender = await Sender.connect(port)
            await sender.send(b"\x0b")
            tracemalloc.start()
            try:
                for _ in range(64):
                    await sender.send(b"x" * MIB)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert await sender.answer() == b"too long"
            assert await sender.ask(b"MSH|after") == b"got MSH|after"
            assert peak < 16 * MIB, "64 MiB came in, and were not kept"
            await sender.close()

    run(work)


def test_a_message_that_drips_is_ended_although_every_byte_comes_in_time() -> None:
    """The clock runs from the first byte of a message: more bytes do not wind it up again."""
    bounds = replace(BOUNDS, message_seconds=0.2)

    async def work() -> None:
        async with listening(bounds=bounds) as (listener, port):
            sender = await Sender.connect(port)
            assert await sender.ask(b"MSH|whole") == b"got MSH|whole"
            hung_up = asyncio.create_task(sender.closed())
            await sender.send(b"\x0bM")
            began = asyncio.get_running_loop().time()
            while not hung_up.done():
                sender.writer.write(b"S")
                await asyncio.wait([hung_up], timeout=0.02)
            assert asyncio.get_running_loop().time() - began < BOUNDS.idle_seconds / 2
            await sender.close()
            assert listener.connections == 0

    run(work)


def test_line_ends_between_messages_are_no_message_and_start_no_clock() -> None:
    bounds = replace(BOUNDS, message_seconds=0.1)

    async def work() -> None:
        async with listening(bounds=bounds) as (_, port):
            sender = await Sender.connect(port)
            await sender.send(b"\r\n")
            done, _ = await asyncio.wait([asyncio.create_task(sender.closed())], timeout=0.3)
            assert not done, "a line that is kept open by line ends is open"
            sender.writer.transport.abort()

    run(work)


def test_a_silent_line_is_closed() -> None:
    async def work() -> None:
        async with listening(bounds=replace(BOUNDS, idle_seconds=0.05)) as (_, port):
            sender = await Sender.connect(port)
            assert await sender.closed()
            await sender.close()

    run(work)


def test_two_hundred_connections_are_served_and_the_next_is_turned_away() -> None:
    bounds = replace(BOUNDS, connections=200, connections_per_client=200)

    async def work() -> None:
        async with listening(bounds=bounds) as (listener, port):
            senders = [await Sender.connect(port) for _ in range(200)]
            asked = [f"MSH|{at}".encode() for at in range(200)]
            found = await asyncio.gather(*(s.ask(one) for s, one in zip(senders, asked, strict=True)))
            assert found == [b"got " + one for one in asked]
            assert listener.connections == 200
            beyond = await Sender.connect(port)
            assert await beyond.closed()
            for sender in (*senders, beyond):
                await sender.close()

    run(work)


def test_two_hundred_floods_at_once_cost_no_more_than_their_messages_may() -> None:
    bounds = replace(BOUNDS, connections=200, connections_per_client=200)

    async def flood(port: int) -> None:
        sender = await Sender.connect(port)
        await sender.send(b"\x0b")
        for _ in range(24):
            await sender.send(b"x" * 32_768)
        assert await sender.answer() == b"too long"
        await sender.close()

    async def work() -> None:
        async with listening(bounds=bounds) as (_, port):
            tracemalloc.start()
            try:
                await asyncio.gather(*(flood(port) for _ in range(200)))
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert peak < 96 * MIB, "150 MiB came in, and what both ends hold on the way is counted"

    run(work)


def test_a_client_has_no_more_connections_than_it_may() -> None:
    async def work() -> None:
        async with listening(bounds=replace(BOUNDS, connections_per_client=1)) as (_, port):
            first, second = await Sender.connect(port), None
            assert await first.ask(b"MSH|1") == b"got MSH|1"
            second = await Sender.connect(port)
            assert await second.closed()
            assert await first.ask(b"MSH|2") == b"got MSH|2"
            await first.close()
            await second.close()

    run(work)


def test_one_message_of_a_connection_is_in_flight_and_the_others_wait() -> None:
    begun: list[bytes] = []

    async def work() -> None:
        may = asyncio.Event()
        started = asyncio.Event()

        async def slow(caller: Caller, one: bytes | TooLong) -> Sequence[bytes]:
            begun.append(cast("bytes", one))
            started.set()
            await may.wait()
            return await echo(caller, one)

        async with listening(slow) as (_, port):
            sender = await Sender.connect(port)
            await sender.send(framed(b"MSH|1") + framed(b"MSH|2"))
            await started.wait()
            assert begun == [b"MSH|1"]
            may.set()
            assert [await sender.answer(), await sender.answer()] == [b"got MSH|1", b"got MSH|2"]
            await sender.close()

    run(work)


def test_stopping_answers_what_is_being_kept_and_hangs_up_on_the_rest() -> None:
    async def work() -> None:
        may, started = asyncio.Event(), asyncio.Event()

        async def slow(caller: Caller, one: bytes | TooLong) -> Sequence[bytes]:
            started.set()
            await may.wait()
            return await echo(caller, one)

        async with listening(slow) as (listener, port):
            busy, idle = await Sender.connect(port), await Sender.connect(port)
            await busy.send(framed(b"MSH|1") + framed(b"MSH|2"))
            await started.wait()
            stopping = asyncio.create_task(listener.stop())
            assert await idle.closed()
            may.set()
            assert await busy.answer() == b"got MSH|1"
            assert [await busy.answer()] == [b"got MSH|2"], "what had come whole is answered too"
            assert await busy.closed()
            await stopping
            with pytest.raises(OSError, match=r"."):
                await Sender.connect(port)
            for sender in (busy, idle):
                await sender.close()

    run(work)


def test_a_message_that_fails_ends_its_connection_without_an_answer_and_no_other() -> None:
    async def work() -> None:
        async def failing(caller: Caller, one: bytes | TooLong) -> Sequence[bytes]:
            if one == b"MSH|bad":
                raise RuntimeError
            return await echo(caller, one)

        async with listening(failing) as (_, port):
            first, second = await Sender.connect(port), await Sender.connect(port)
            await first.send(framed(b"MSH|bad"))
            assert await first.closed()
            assert await second.ask(b"MSH|good") == b"got MSH|good"
            await first.close()
            await second.close()

    run(work)


def test_a_client_that_is_revoked_is_cut_off_at_its_next_message() -> None:
    door = AnyoneAs()

    async def work() -> None:
        async with listening(door=door) as (_, port):
            sender = await Sender.connect(port)
            assert await sender.ask(b"MSH|1") == b"got MSH|1"
            door.revoked = True
            await sender.send(framed(b"MSH|2"))
            assert await sender.closed()
            await sender.close()

    run(work)


def test_a_certificate_that_is_removed_is_cut_off_on_a_connection_that_is_open() -> None:
    door = AnyoneAs()

    async def work() -> None:
        async with listening(door=door, bounds=replace(BOUNDS, look_again_seconds=0.0)) as (_, port):
            sender = await Sender.connect(port)
            assert await sender.ask(b"MSH|1") == b"got MSH|1"
            door.fingerprint = "another"
            await sender.send(framed(b"MSH|2"))
            assert await sender.closed()
            await sender.close()

    run(work)


def _client_tls(folder: Path, shown: Pair | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority().pem.decode())
    if shown is not None:
        context.load_cert_chain(*shown.write(folder, "shown"))
    return context


def _server_tls(folder: Path) -> ssl.SSLContext:
    certificate, key = authority().issue("gateway").write(folder, "gateway")
    ca = folder / "ca.pem"
    ca.write_bytes(authority().pem)
    return server_context(certificate, key, ca)


def test_a_certificate_that_is_registered_opens_the_door(tmp_path: Path) -> None:
    shown = authority().issue("engine")
    door = AnyoneAs(fingerprint(ssl.PEM_cert_to_DER_cert(shown.certificate.decode())))

    async def work() -> None:
        async with listening(door=door, tls=_server_tls(tmp_path)) as (_, port):
            sender = await Sender.connect(port, _client_tls(tmp_path, shown))
            assert await sender.ask(b"MSH|1") == b"got MSH|1"
            await sender.close()

    run(work)


async def _asked(port: int, tls: ssl.SSLContext | None) -> bytes:
    sender = await Sender.connect(port, tls)
    try:
        return await sender.ask(b"MSH|1")
    finally:
        sender.writer.transport.abort()


@pytest.mark.parametrize("case", ["another certificate", "another authority", "no certificate", "no TLS"])
def test_no_other_is_let_in(tmp_path: Path, case: str) -> None:
    known, other = authority().issue("engine"), authority().issue("another")
    door = AnyoneAs(fingerprint(ssl.PEM_cert_to_DER_cert(known.certificate.decode())))
    shown = {"another certificate": other, "another authority": Authority("Stranger").issue("engine")}.get(case)

    async def work() -> None:
        async with listening(door=door, tls=_server_tls(tmp_path)) as (_, port):
            tls = None if case == "no TLS" else _client_tls(tmp_path, shown)
            with pytest.raises((EOFError, OSError)):
                await _asked(port, tls)

    run(work)


def test_three_hundred_handshakes_that_never_end_keep_no_sender_out_and_cost_no_more_than_the_places(
    tmp_path: Path,
) -> None:
    """Half of them say nothing, half begin a handshake; a sender that is being served stays."""
    shown = authority().issue("engine")
    door = AnyoneAs(fingerprint(ssl.PEM_cert_to_DER_cert(shown.certificate.decode())))
    bounds = replace(BOUNDS, connections=16)
    tls = _client_tls(tmp_path, shown)

    async def work() -> None:
        async with listening(door=door, tls=_server_tls(tmp_path), bounds=bounds) as (listener, port):
            first = await Sender.connect(port, tls)
            assert await first.ask(b"MSH|1") == b"got MSH|1"
            tracemalloc.start()
            try:
                crowd = [await Sender.connect(port) for _ in range(300)]
                for one in crowd[::2]:
                    one.writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
                second = await Sender.connect(port, tls)
                assert await second.ask(b"MSH|2") == b"got MSH|2"
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert peak < 24 * MIB, "a place costs 0.3 MiB, the crowd's own ends as much as the rest"
            assert await first.ask(b"MSH|3") == b"got MSH|3"
            assert listener.connections == 2
            turned_away = [asyncio.create_task(one.closed()) for one in crowd]
            await asyncio.wait(turned_away[: 300 - bounds.connections])
            assert sum(not one.done() for one in turned_away) <= bounds.connections
            await listener.stop()
            await asyncio.wait(turned_away)
            for one in (*crowd, first, second):
                one.writer.transport.abort()

    run(work)


def test_where_all_places_are_served_the_next_is_turned_away_and_a_place_that_is_free_is_taken(tmp_path: Path) -> None:
    shown = authority().issue("engine")
    door = AnyoneAs(fingerprint(ssl.PEM_cert_to_DER_cert(shown.certificate.decode())))
    tls = _client_tls(tmp_path, shown)

    async def work() -> None:
        async with listening(door=door, tls=_server_tls(tmp_path), bounds=replace(BOUNDS, connections=1)) as (_, port):
            sender = await Sender.connect(port, tls)
            assert await sender.ask(b"MSH|1") == b"got MSH|1"
            with pytest.raises((EOFError, OSError)):
                await _asked(port, tls)
            await sender.close()
            await _until_it_is_free(port, tls)

    run(work)


async def _until_it_is_free(port: int, tls: ssl.SSLContext) -> None:
    """The listener hears of a line that was closed a moment later."""
    while True:
        try:
            assert await _asked(port, tls) == b"got MSH|1"
        except (EOFError, OSError):
            continue
        return


def test_a_handshake_that_never_ends_is_ended(tmp_path: Path) -> None:
    async def work() -> None:
        bounds = replace(BOUNDS, message_seconds=0.1)
        async with listening(tls=_server_tls(tmp_path), bounds=bounds) as (_, port):
            sender = await Sender.connect(port)
            assert await sender.closed()
            await sender.close()

    run(work)


def test_files_that_are_no_certificates_are_refused_by_name_and_not_repeated(tmp_path: Path) -> None:
    certificate, key = authority().issue("gateway").write(tmp_path, "gateway")
    other = authority().issue("other").write(tmp_path, "other")[1]
    with pytest.raises(TlsUnusable, match="authorities of clients"):
        server_context(certificate, key, tmp_path / "none.pem")
    with pytest.raises(TlsUnusable, match="belong together"):
        server_context(certificate, other, certificate)
