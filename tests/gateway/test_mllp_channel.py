"""Sending over MLLP: acknowledged for this very message, or tried again, or for a human; over real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.mllp import Framer, framed
from adapters.nhs import hl7v2
from gateway.chance import fresh_id
from gateway.delivery.channel import (
    CannotWrite,
    Endpoint,
    NotDelivered,
    NotSent,
    Parcel,
    Reason,
    Refused,
    Reply,
    TryAgain,
    Unknown,
)
from gateway.mllp.channel import Mllp, control_id
from gateway.mllp.client import Target, exchange, target
from gateway.mllp.tls import client_context, server_context
from mappings.record import Person, Record, RecordKind, Role
from mappings.referral import Priority, Referral, ReferralState, ReferralStatus
from tests.support.mllp import HOST, authority, header

Answer = Callable[[socket.socket, bytes], None]
ID = fresh_id()
NAMED = control_id(ID)
MESSAGE = (header("REF^I12", NAMED) + "\r").encode()
PLAIN = Mllp(None, None, "T")


def ack(code: str, *more: str, of: str = NAMED, own: str = "THEIRS") -> bytes:
    """A framed acknowledgement; `more` are segments behind its MSA."""
    return framed(("\r".join((header("ACK", own), f"MSA|{code}|{of}", *more)) + "\r").encode())


@contextmanager
def receiver(answer: Answer, tls: object = None) -> Iterator[tuple[int, list[bytes]]]:
    """A receiving system on a free port, which answers each message as told; and what it was sent."""
    taken: list[bytes] = []
    server = socket.create_server((HOST, 0))

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            try:
                line = tls.wrap_socket(line, server_side=True) if tls is not None else line  # type: ignore[attr-defined]
                framer = Framer(1 << 20)
                while data := line.recv(65_536):
                    for found in framer.feed(data):
                        if isinstance(found, bytes):
                            taken.append(found)
                            answer(line, found)
            except OSError:
                pass
            finally:
                line.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1], taken
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def says(*answers: bytes, hang_up: bool = False) -> Answer:
    """A receiver that says this to every message."""

    def answer(line: socket.socket, _: bytes) -> None:
        line.sendall(b"".join(answers))
        if hang_up:
            line.shutdown(socket.SHUT_RDWR)

    return answer


def endpoint(address: str, options: Mapping[str, str] | None = None) -> Endpoint:
    """An endpoint of an invented trust's system."""
    chosen = options or {}
    return Endpoint(
        "e", "operation-provide", "RXL", "idva-team", "mllp", address, chosen, hides_from_online_access=True
    )


def sent(answer: Answer, options: Mapping[str, str] | None = None, seconds: float = 10.0) -> Reply:
    """What the channel makes of a receiver."""
    with receiver(answer) as (port, taken):
        try:
            return PLAIN.send(endpoint(f"mllp://{HOST}:{port}", options), ID, MESSAGE, seconds)
        finally:
            assert taken in ([], [MESSAGE])


@pytest.mark.parametrize(
    "answers",
    [
        (ack("AA"),),
        (ack("CA"), ack("AA")),
        (ack("AA", of="ANOTHER"), ack("AE", of="ANOTHER"), ack("AA")),
        (ack("AA"), ack("AA")),
        (b"noise", ack("AA")),
        (framed(b"no message"), ack("AA")),
    ],
    ids=["AA", "CA then AA", "others' before ours", "twice", "noise before", "nonsense before"],
)
def test_it_arrived_where_this_message_is_acknowledged(answers: tuple[bytes, ...]) -> None:
    assert sent(says(*answers)) == Reply("THEIRS")


@pytest.mark.parametrize(
    ("answers", "fault", "code"),
    [
        ((ack("AE"),), Refused, "nack-ae"),
        ((ack("CE"),), Refused, "nack-ce"),
        ((ack("CA"), ack("AE")), Refused, "nack-ae"),
        ((ack("AR"),), TryAgain, "nack-ar"),
        ((ack("CR"),), TryAgain, "nack-cr"),
        ((ack("XX"),), TryAgain, "ack-unknown"),
        ((), TryAgain, "no-ack"),
        ((ack("AA", of="ANOTHER"),), TryAgain, "no-ack"),
        ((ack("AA", of=NAMED.lower()),), TryAgain, "no-ack"),
        ((ack("CA"),), TryAgain, "no-application-ack"),
        ((ack("AA")[:-3],), TryAgain, "no-ack"),
        ((ack("AA", of="ANOTHER") * 70, ack("AA")), TryAgain, "other-acks"),
    ],
)
def test_anything_else_is_tried_again_or_refused(
    answers: tuple[bytes, ...], fault: type[NotDelivered], code: str
) -> None:
    with pytest.raises(fault) as found:
        sent(says(*answers, hang_up=True))
    assert type(found.value) is fault
    assert found.value.code == code


def test_a_commit_acknowledgement_is_enough_where_the_endpoint_says_so() -> None:
    assert sent(says(ack("CA")), {"ack": "CA"}) == Reply("THEIRS")


@pytest.mark.parametrize(("answers", "code"), [((), "timeout"), ((ack("CA"),), "no-application-ack")])
def test_one_that_hangs_is_left_by_the_deadline(answers: tuple[bytes, ...], code: str) -> None:
    began = time.monotonic()
    with pytest.raises(TryAgain) as found:
        sent(says(*answers), seconds=0.2)
    assert found.value.code == code
    assert time.monotonic() - began < 5


def test_one_that_drips_other_acknowledgements_is_left_by_the_deadline() -> None:
    def drip(line: socket.socket, _: bytes) -> None:
        for byte in ack("AA", of="ANOTHER") * 60:
            line.sendall(bytes([byte]))

    with pytest.raises(TryAgain):
        sent(drip, seconds=0.3)


def test_nobody_there_is_tried_again() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TryAgain) as found:
        exchange(Target(HOST, port, secure=False), MESSAGE, NAMED, 1.0, None)
    assert (type(found.value), found.value.code) == (NotSent, "connection")


@pytest.mark.parametrize("host", ["nobody.invalid", "a..b", f"{'a' * 64}.invalid"])
def test_a_name_that_leads_nowhere_is_certain_to_have_been_sent_nothing(host: str) -> None:
    with pytest.raises(NotSent) as found:
        exchange(Target(host, 2575, secure=False), MESSAGE, NAMED, 1.0, None)
    assert found.value.code == "connection"


OLD, NEW = "ERR|{}^1^{}^{}&words&HL70357", "ERR||{}^1^{}|{}^words^HL70357|E"


@pytest.mark.parametrize("form", [OLD, NEW], ids=["2.4", "2.5"])
@pytest.mark.parametrize(
    ("code", "wrong", "fault", "named"),
    [
        ("AE", ("RF1", "6", "204"), Unknown, "unknown-referral"),
        ("AR", ("RF1", "6", "204"), Unknown, "unknown-referral"),
        ("AE", ("PID", "3", "204"), Refused, "nack-ae"),
        ("AR", ("PID", "3", "204"), Refused, "nack-ar"),
        ("CR", ("MSH", "9", "200"), Refused, "nack-cr"),
        ("AR", ("PID", "5", "101"), Refused, "nack-ar"),
        ("AR", ("PID", "3", "206"), TryAgain, "nack-ar"),
        ("AR", ("", "", "207"), TryAgain, "nack-ar"),
        ("CA", ("RF1", "6", "204"), TryAgain, "no-application-ack"),
    ],
)
def test_what_it_says_is_wrong_tells_whether_another_try_could_help(
    form: str, code: str, wrong: tuple[str, str, str], fault: type[NotDelivered], named: str
) -> None:
    """An unknown key is our referral only where RF1 is named: a patient may be unknown after a merge."""
    with pytest.raises(fault) as found:
        sent(says(ack(code, form.format(*wrong)), hang_up=True))
    assert (type(found.value), found.value.code) == (fault, named)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (("ERR|RF1^1^6^204~PID^1^3^204",), Refused),
        (("ERR||RF1^1^6|204", "ERR||PID^1^3|207"), TryAgain),
        (("ERR|",), TryAgain),
        (("ERR|" + "RF1^1^6^204~" * 900 + "PID^1^5^207",), Unknown),
    ],
    ids=["two keys", "one that passes", "nothing said", "a thousand times"],
)
def test_more_than_one_thing_wrong_is_judged_together(more: tuple[str, ...], fault: type[NotDelivered]) -> None:
    with pytest.raises(fault) as found:
        sent(says(ack("AR", *more), hang_up=True))
    assert type(found.value) is fault


def test_a_condition_of_msa_counts_where_no_err_is() -> None:
    answer = framed((header("ACK", "THEIRS") + f"\rMSA|AR|{NAMED}||||201^Unsupported event code^HL70357\r").encode())
    with pytest.raises(Refused, match="nack-ar"):
        sent(says(answer, hang_up=True))


def test_a_handshake_that_fails_or_never_ends_is_certain_to_have_sent_nothing() -> None:
    tls = client_context(authority().pem.decode(), None, None)
    for answer, seconds, code in ((b"HTTP/1.1 400 No\r\n\r\n", 5.0, "tls"), (b"", 0.2, "timeout")):
        with socket.create_server((HOST, 0)) as server:

            def serve(server: socket.socket = server, answer: bytes = answer) -> None:
                line, _ = server.accept()
                line.sendall(answer)
                line.settimeout(5.0)
                with line, suppress(OSError):
                    while line.recv(4096):
                        pass

            thread = threading.Thread(target=serve)
            thread.start()
            with pytest.raises(NotSent) as found:
                exchange(Target(HOST, server.getsockname()[1], secure=True), MESSAGE, NAMED, seconds, tls)
            thread.join()
            assert found.value.code == code


def test_a_line_that_breaks_is_tried_again_with_the_same_control_id() -> None:
    with receiver(lambda line, _: line.close()) as (port, taken):
        to = endpoint(f"mllp://{HOST}:{port}")
        for _ in range(2):
            with pytest.raises(TryAgain):
                PLAIN.send(to, ID, MESSAGE, 5.0)
        assert taken == [MESSAGE, MESSAGE]


def test_tls_shows_both_certificates_and_checks_the_receivers(tmp_path: Path) -> None:
    theirs, ours = authority().issue("trust"), authority().issue("gateway")
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    tls = server_context(*theirs.write(tmp_path, "theirs"), tmp_path / "ca.pem")
    channel, ca = Mllp(*ours.write(tmp_path, "ours"), "T"), {"ca": authority().pem.decode()}
    with receiver(says(ack("AA")), tls) as (port, taken):
        address = f"mllps://{HOST}:{port}"
        channel.check(address, ca, production=True)
        assert channel.send(endpoint(address, ca), ID, MESSAGE, 10.0) == Reply("THEIRS")
        with pytest.raises(TryAgain) as stranger:
            channel.send(endpoint(address), ID, MESSAGE, 10.0)
        assert (type(stranger.value), stranger.value.code) == (NotSent, "certificate")
        with pytest.raises(TryAgain):
            PLAIN.send(endpoint(address, ca), ID, MESSAGE, 10.0)
        assert taken == [MESSAGE]


@pytest.mark.parametrize(
    ("address", "options", "production", "why"),
    [
        ("https://trust.test", {}, False, "mllp://"),
        ("mllps://trust.test:99999", {}, False, "port"),
        ("mllp://trust.test:2575", {}, False, "TLS"),
        ("mllp://127.0.0.1:2575", {}, True, "TLS"),
        ("mllps://trust.test:2575", {"hue": "blue"}, True, "option"),
        ("mllps://trust.test:2575", {"ack": "AE"}, True, "ack"),
        ("mllps://trust.test:2575", {"ca": "nothing"}, True, "authority"),
    ],
)
def test_an_address_that_will_not_do_is_refused_and_not_repeated(
    address: str, options: dict[str, str], *, production: bool, why: str
) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        PLAIN.check(address, options, production=production)
    assert "trust.test" not in str(refused.value)


def test_an_address_without_a_port_has_that_of_hl7() -> None:
    assert target("mllps://trust.test") == Target("trust.test", 2575, secure=True)


def parcel(reason: Reason = Reason.NEW, *people: Person) -> Parcel:
    """A referral of an invented victim."""
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    referral = Referral(
        fresh_id(),
        1,
        ReferralStatus.REQUESTED,
        ReferralState.OFFERED,
        Priority.URGENT,
        "idva-team",
        "RXL",
        "04",
        None,
        None,
        None,
        now,
        now,
        None,
    )
    return Parcel(fresh_id(), reason, referral, Record(kind=RecordKind.INCIDENT, people=people), None, now)


def test_what_is_written_is_the_same_at_every_try_and_names_its_parcel() -> None:
    one = parcel(Reason.NEW, Person(ref="victim-1", role=Role.VICTIM))
    to = endpoint("mllps://trust.test", {"application": "ENSEMBLE"})
    body = PLAIN.write(one, to)
    assert body == PLAIN.write(one, to)
    message = hl7v2.read(body)
    assert message.control_id == control_id(one.id)
    assert (message.receiver, message.processing) == (("ENSEMBLE", "RXL"), "T")
    framed(body)


def test_a_referral_that_the_format_cannot_say_is_for_a_human() -> None:
    with pytest.raises(CannotWrite, match="people"):
        PLAIN.write(parcel(), endpoint("mllps://trust.test"))
