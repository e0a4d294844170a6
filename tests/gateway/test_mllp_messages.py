"""Messages on their road, over a real socket into a real gateway: what is answered, what is kept, what is sealed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from adapters.mllp import framed
from gateway.demo.run import LOG
from gateway.errors import NotSealed
from gateway.evidence import OPERATOR_LOG
from gateway.messaging.serving import MllpRefused, listener_of, tls_of
from gateway.store import tables
from gateway.store.journal import Journal
from tests.support.mllp import HOST, Sender, adt, codes, control_id, header, told
from tests.support.world import World

Ask = Callable[[Sender], Awaitable[None]]


def talk(demo: World, work: Ask, client: str = "demo-hospital") -> None:
    """Open a listener that a plain connection speaks to for a client, and talk."""
    settings = demo.services.settings.model_copy(update={"mllp_plain_client": client})
    object.__setattr__(demo.services, "settings", settings)

    async def run() -> None:
        listener = listener_of(demo.services, tls_of(settings, HOST))
        port = await listener.open(HOST, 0)
        sender = await Sender.connect(port)
        try:
            async with asyncio.timeout(60):
                await work(sender)
        finally:
            await sender.close()
            await listener.stop()

    demo.run(run())


def answers(demo: World, *messages: bytes, client: str = "demo-hospital") -> list[bytes]:
    """The answer to each message."""
    found: list[bytes] = []

    async def work(sender: Sender) -> None:
        found.extend([await sender.ask(one) for one in messages])

    talk(demo, work, client)
    return found


def rows(demo: World, table: Any) -> Sequence[Any]:
    """All rows of a table."""
    with demo.services.database.reading() as connection:
        return connection.execute(select(table)).all()


def sealed(demo: World, event: str, log: str = LOG) -> list[dict[str, Any]]:
    """The entries of an event."""
    found = [orjson.loads(one.body) for one in demo.entries(log)]
    return [one for one in found if one["event"] == event]


def test_a_message_about_nobody_here_is_kept_sealed_and_answered_by_its_own_control_id(demo: World) -> None:
    before = len(demo.entries())
    [answer] = answers(demo, adt(identifier="M1"))
    assert told(answer) == ("AA", "M1")
    [row] = rows(demo, tables.hl7_message)
    assert (row.type, row.ack, row.became) == ("ADT^A31", "AA", "nobody-here")
    assert b"ARDEN" not in bytes(row.content)
    [entry] = sealed(demo, "message-received")
    assert entry["operation"] == "collection"
    assert entry["detail"]["message"] == row.id
    assert len(demo.entries()) == before + 1
    assert b"ARDEN" not in b"".join(one.body for one in demo.entries())


def test_the_same_message_again_gets_its_answer_again_and_is_kept_once(demo: World) -> None:
    message = adt(identifier="M1")
    assert codes(answers(demo, message, message)) == ["AA", "AA"]
    assert len(rows(demo, tables.hl7_message)) == 1
    assert len(sealed(demo, "message-repeated")) == 1


def test_a_control_id_with_other_content_is_refused_and_waits_for_a_human(demo: World) -> None:
    first, second = adt(identifier="M1"), adt(identifier="M1", family="ARDENNE")
    found = answers(demo, first, second)
    assert codes(found) == ["AA", "AE"]
    assert b"MSH^1^10" in found[1]
    [held] = rows(demo, tables.quarantine)
    assert held.reason == "hl7-control-id"
    assert len(rows(demo, tables.hl7_message)) == 1


def test_the_same_control_id_of_another_sender_is_another_message(demo: World) -> None:
    message = adt(identifier="M1")
    assert codes(answers(demo, message, message.replace(b"|PAS|", b"|EPR|"))) == ["AA", "AA"]
    assert len(rows(demo, tables.hl7_message)) == 2


@pytest.mark.parametrize(
    ("message", "code", "place"),
    [
        (b"nothing", "AE", b""),
        (b"", "AE", b""),
        (b"MSH|^~\\&|PAS|RXL", "AR", b"MSH^1^9"),
        (b"\x00" + adt(), "AE", b""),
        (adt().replace(b"|2.4|", b"|9.9|"), "AR", b"MSH^1^12"),
        (adt(processing="P"), "AR", b"MSH^1^11"),
        (adt("A31").replace(b"ADT^A31", b"MDM^T02"), "AR", b"MSH^1^9"),
        (header("ADT^A31").encode() + b"\rEVN|A31|20260301\r", "AE", b"PID"),
    ],
)
def test_whatever_comes_is_answered_with_a_reason(demo: World, message: bytes, code: str, place: bytes) -> None:
    found = answers(demo, message, adt())
    assert codes(found) == [code, "AA"]
    assert b"\rERR|" in found[0]
    assert place in found[0]


def test_however_a_message_is_damaged_it_is_answered(demo: World) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    damaged = [_damaged(chance, adt("A40" if at % 3 else "A31", more=["MRG|7700009^^^RXL^MR"])) for at in range(150)]
    found = answers(demo, *damaged)
    assert len(found) == len(damaged)
    assert set(codes(found)) <= {"AA", "AE", "AR", "CA", "CE", "CR"}
    assert not [line for line in sealed(demo, "message-received") if "ARDEN" in str(line)]


def _damaged(chance: random.Random, message: bytes) -> bytes:
    """A message with bytes changed, left out, doubled or cut off; none of them is one of a frame."""
    changed = bytearray(message)
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(changed))
        piece = changed[at : at + chance.randrange(1, 12)]
        changed[at : at + len(piece)] = chance.choice(
            [b"", piece * 2, bytes([chance.choice(b'|^~\\&\r\n\x00\xff"M')]), b"\xf0\x9f\x92\xa5", b"\\X00\\"]
        )
    return bytes(changed[: chance.randrange(1, len(changed) + 1)] if chance.random() < 1 / 4 else changed)


def test_what_cannot_be_read_waits_for_a_human_and_a_trial_message_does_not(demo: World) -> None:
    answers(demo, b"MSH|^~\\&|PAS|RXL", adt(processing="P"))
    assert len(rows(demo, tables.quarantine)) == 1
    assert [one["reason"] for one in sealed(demo, "message-refused")] == ["processing-id-not-taken"]


def test_a_referral_of_a_wrong_version_is_refused_and_a_human_sees_it(demo: World) -> None:
    [answer] = answers(demo, header("REF^I12").replace("|2.4|", "|2.9|").encode() + b"\rPID|1\r")
    assert codes([answer]) == ["AR"]
    assert len(rows(demo, tables.quarantine)) == 1


def test_enhanced_mode_is_answered_by_both_acknowledgements(demo: World) -> None:
    message = adt(identifier="M1", modes="||AL|AL")
    found: list[bytes] = []

    async def work(sender: Sender) -> None:
        await sender.send(framed(message))
        found.extend([await sender.answer(), await sender.answer()])

    talk(demo, work)
    assert [told(one) for one in found] == [("CA", "M1"), ("AA", "M1")]


def test_every_message_of_a_batch_is_answered(demo: World) -> None:
    messages = [adt(identifier=f"B{at}") for at in range(3)]
    batch = b"BHS|^~\\&|PAS|RXL\r" + b"".join(messages) + b"BTS|3\r"
    found: list[bytes] = []

    async def work(sender: Sender) -> None:
        await sender.send(framed(batch) + framed(batch.replace(b"BTS|3", b"BTS|4")))
        found.extend([await sender.answer() for _ in range(6)])

    talk(demo, work)
    assert [told(one) for one in found] == [
        *(("AA", f"B{at}") for at in range(3)),
        *(("AE", f"B{at}") for at in range(3)),
    ]


@pytest.mark.parametrize(("client", "log"), [("demo-rms", LOG), ("demo-auditor", OPERATOR_LOG)])
def test_from_whoever_may_not_send_nothing_is_taken(demo: World, client: str, log: str) -> None:
    assert codes(answers(demo, adt(), b"nothing", client=client)) == ["AR", "AR"]
    assert not rows(demo, tables.hl7_message)
    assert not rows(demo, tables.quarantine)
    assert len(sealed(demo, "access-refused", log)) == 2


def test_where_nothing_can_be_sealed_nothing_is_accepted(demo: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        raise NotSealed("no")

    monkeypatch.setattr(Journal, "submit", never)
    [answer] = answers(demo, adt())
    assert codes([answer]) == ["AR"]


def test_without_certificates_it_listens_on_loopback_alone_for_a_named_client(demo: World) -> None:
    settings = demo.services.settings
    with pytest.raises(MllpRefused, match="GATEWAY_MLLP_PLAIN_CLIENT"):
        tls_of(settings, HOST)
    plain = settings.model_copy(update={"mllp_plain_client": "demo-hospital"})
    with pytest.raises(MllpRefused, match="loopback"):
        tls_of(plain, "0.0.0.0")  # noqa: S104 - it is refused
    assert control_id() != control_id()
