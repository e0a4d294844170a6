"""One POST over real sockets: what is certain not to have left is told apart from what nobody can tell."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway import keys
from gateway.bars.channel import BarsChannel
from gateway.delivery.channel import Endpoint
from gateway.delivery.fault import NotDelivered, NotSent, TryAgain
from gateway.webhook.address import Target, target
from gateway.webhook.posting import exchange
from gateway.webhook.signing import Signer
from tests.support.receiver import HANG, RESET, Receiver, receiver

HERE: Sequence[str] = ["127.0.0.1"]


def fault(to: Target, ca: str | None, seconds: float = 5.0, addresses: Sequence[str] = HERE) -> NotDelivered:
    """Why a POST did not arrive."""
    with pytest.raises(NotDelivered) as found:
        exchange(to, addresses, {}, b"{}", ca=ca, now=datetime.now(UTC), deadline_seconds=seconds)
    return found.value


def of(system: Receiver) -> Target:
    """A receiver's address."""
    return target(system.url, production=True)


def test_what_no_connection_was_made_for_is_certain_not_to_have_left(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = target(f"https://localhost:{closed.getsockname()[1]}/", production=True)
    with receiver(tmp_path) as system:
        assert [(type(one), one.code) for one in (fault(nowhere, system.ca), fault(of(system), None))] == [
            (NotSent, "connection"),
            (NotSent, "tls"),
        ]
        assert system.got == []


def test_what_breaks_later_is_in_doubt(tmp_path: Path) -> None:
    with receiver(tmp_path) as system:
        system.script.extend([RESET, HANG])
        assert type(fault(of(system), system.ca)) is TryAgain
        late = fault(of(system), system.ca, seconds=0.5)
        assert (type(late), late.code, len(system.got)) == (TryAgain, "timeout", 2)


def test_a_receiver_is_reached_by_whichever_of_its_addresses_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them refuses, one takes the connection and says nothing: the last is asked all the same."""
    monkeypatch.setattr("gateway.webhook.posting.CONNECT_SECONDS", 0.2)
    with receiver(tmp_path) as system, socket.create_server(("127.0.0.3", int(of(system).port))):
        addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
        answer = exchange(of(system), addresses, {}, b"{}", ca=system.ca, now=datetime.now(UTC), deadline_seconds=10.0)
        assert (answer.status, len(system.got)) == (204, 1)
        assert type(fault(of(system), system.ca, addresses=addresses[:2])) is NotSent


def test_a_name_that_leads_nowhere_is_certain_to_have_been_sent_nothing(tmp_path: Path) -> None:
    def silent(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    signer = Signer(keys.create(tmp_path, "development"))
    channel = BarsChannel(signer, base_url="https://gateway.test", version="1", production=True, resolve=silent)
    to = Endpoint("e", "log", "RXL", "team", "bars", "https://trust.test", {}, hides_from_online_access=True)
    with pytest.raises(NotSent, match="no-address"):
        channel.send(to, "id", b"", 1.0)
