"""The parts of pushing: which addresses, how long to wait, what is signed; and the operator's commands."""

from __future__ import annotations

import base64
import hashlib
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gateway import keys
from gateway.cli import app
from gateway.delivery.fault import NotDelivered, Refused, TryAgain
from gateway.delivery.policy import AFTER_MAX, TRIES, retry_after, wait_after
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG, Event
from gateway.settings import Environment
from gateway.webhook.address import AddressRefused, is_public, pinned, target
from gateway.webhook.courier import Courier
from gateway.webhook.endpoints import AddEndpoint, Pushed, RemoveEndpoint
from gateway.webhook.folder import folder_of, url_of
from gateway.webhook.signing import COVERED, Message, Signer, sign
from tests.journeys.support import change, pushed, status
from tests.support.receiver import receiver
from tests.support.world import World, copy_template

NOW = datetime(2026, 4, 12, 21, 0, tzinfo=UTC)

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - refused, not bound to
       "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.0.170", "198.18.0.1", "192.0.2.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2001::7f00:1", "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_public_however_it_is_written(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://force.example/feedback",
        "https://127.0.0.1/feedback",
        "https://[::1]/feedback",
        "https://[fe80::1]:8443/feedback",
        "https://user:secret@force.example/",
        "https://force.example/feedback?key=secret",
        "https://force.example/feedback#part",
        "https://force.example:99999/",
        "https:///feedback",
        "ftp://force.example/",
        "file:///etc/passwd",
        "https://force.example/a b",
        "https://force.example/\r\nHost: elsewhere",
        "https://force.example/" + "a" * 512,
        "",
    ],
)
def test_a_url_that_may_not_be_pushed_to_is_refused_in_production(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        target(url, production=True)
    assert "secret" not in str(refused.value)


def test_what_a_name_resolves_to_is_judged_and_one_bad_address_refuses_all() -> None:
    to = target("https://force.example:8443/feedback", production=True)
    assert (to.port, to.path, to.authority) == (8443, "/feedback", "force.example:8443")
    assert pinned(to, lambda *_: ["93.184.215.14"], production=True) == ("93.184.215.14",)
    with pytest.raises(Refused, match="private-address"):
        pinned(to, lambda *_: ["93.184.215.14", "10.0.0.1"], production=True)
    assert pinned(to, lambda *_: ["127.0.0.1"], production=False) == ("127.0.0.1",)


def test_a_name_that_does_not_resolve_may_later() -> None:
    def silent(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    to = target("https://force.example/", production=True)
    with pytest.raises(TryAgain, match="no-address"):
        pinned(to, silent, production=True)
    with pytest.raises(TryAgain, match="no-address"):
        pinned(to, lambda *_: [], production=True)


# How long to wait


def test_waits_grow_and_end_with_the_sixth_try() -> None:
    waits = [wait_after(TryAgain("status-503"), tried) for tried in range(1, TRIES + 1)]
    assert (TRIES, waits[-1]) == (6, None)
    for wait, least in zip(waits[:-1], (30, 120, 480, 1920, 3600), strict=True):
        assert wait is not None
        assert least <= wait.total_seconds() <= min(least + 30, 3600)


def test_two_waits_are_not_the_same() -> None:
    """Jitter: endpoints that failed together are not tried together."""
    assert len({wait_after(TryAgain("timeout"), 1) for _ in range(20)}) > 1


@pytest.mark.parametrize("fault", [Refused("status-404"), NotDelivered("unknown")])
def test_what_is_not_said_to_be_worth_another_try_gets_none(fault: NotDelivered) -> None:
    assert wait_after(fault, 1) is None


def test_a_receiver_may_ask_for_more_time_not_for_less() -> None:
    assert wait_after(TryAgain("status-429", timedelta(hours=2)), 1) == timedelta(hours=2)
    asked_for_less = wait_after(TryAgain("status-429", timedelta(seconds=1)), 3)
    assert asked_for_less is not None
    assert asked_for_less >= timedelta(seconds=480)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta()),
        ("9" * 300, AFTER_MAX),
        ("Sun, 12 Apr 2026 21:30:00 GMT", timedelta(minutes=30)),
        ("Sun, 12 Apr 2026 20:30:00 GMT", timedelta()),
        ("Fri, 31 Dec 9999 23:59:59 GMT", AFTER_MAX),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_in_both_forms(value: str | None, expected: timedelta | None) -> None:
    assert retry_after(value, NOW) == expected


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_no_retry_after_breaks_anything(value: str) -> None:
    found = retry_after(value, NOW)
    assert found is None or timedelta() <= found <= AFTER_MAX


# What is signed


def test_the_signature_of_the_standards_own_example() -> None:
    """RFC 9421 appendix B.2.6: its message, its key, its parameters give its signature, byte for byte."""
    seed = base64.urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")
    message = Message(
        "POST",
        "https://example.com/foo?param=Value&Pet=dog",
        {
            "Host": "example.com",
            "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
            "Content-Type": "application/json",
            "Content-Length": "18",
        },
    )
    covered = ("date", "@method", "@path", "@authority", "content-type", "content-length")
    at = datetime.fromtimestamp(1618884473, UTC)
    sign(message, Ed25519PrivateKey.from_private_bytes(seed), "test-key-ed25519", covered, at, label="sig-b26")
    assert message.headers["Signature"] == (
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
    )


def test_a_push_is_signed_over_all_that_matters_with_a_fresh_nonce(tmp_path: Path) -> None:
    keyring = keys.create(tmp_path / "keys", "development")
    signer = Signer(keyring)
    first, second = (dict(signer.headers("https://force.example/f", b"{}", "d-1", NOW)) for _ in range(2))
    digest = "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"  # RFC 9530: of the bytes {}
    assert first["Content-Digest"] == digest
    assert first["Signature-Input"] != second["Signature-Input"]
    said = first["Signature-Input"]
    assert said.startswith("gateway=(" + " ".join(f'"{name}"' for name in COVERED) + ");created=1776027600")
    for parameter in ("keyid", "nonce", "tag", "alg"):
        assert f";{parameter}=" in said
    base = [
        '"@method": POST',
        '"@target-uri": https://force.example/f',
        '"content-type": application/json',
        f'"content-digest": {digest}',
        '"idempotency-key": d-1',
        f'"@signature-params": {said.removeprefix("gateway=")}',
    ]
    signature = base64.b64decode(first["Signature"].removeprefix("gateway=:").removesuffix(":"))
    public = keyring.message_key.public_key
    assert isinstance(public, Ed25519PublicKey)
    public.verify(signature, "\n".join(base).encode())


def test_the_key_of_pushes_is_none_of_the_others(tmp_path: Path) -> None:
    keyring = keys.create(tmp_path / "keys", "development")
    assert keyring.message_seed not in {keyring.log_seed, keyring.content_key, keyring.index_key}
    again = keys.load(tmp_path / "keys", "development")
    assert (again.message_seed, again.message_key.kid) == (keyring.message_seed, keyring.message_key.kid)


# The twin: a folder


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """A folder to put requests into."""
    made = tmp_path / "drop"
    made.mkdir()
    return made


def in_folder(demo: World, folder: Path) -> str:
    """Register a folder, and have a word said to police; returns the referral."""
    unit = AddEndpoint("demo-rms", LOG, url_of(folder), Pushed.WORDS, "dc-4411", "officer-in-case", production=False)
    demo.services.journals.of(OPERATOR_LOG).submit_and_wait(unit)
    _, task = pushed(demo)
    assert change(demo, task, 1, status("accepted")).is_success
    return task


def made_rounds(courier: Courier, now: datetime) -> None:
    """Two rounds of a courier, which is closed then."""
    try:
        for _ in range(2):
            courier.round(now)
            courier.wait()
    finally:
        courier.close()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_folder_is_given_the_signed_request_once_after_it_was_sealed(demo: World, drop: Path) -> None:
    """The file alone shows who wrote it, to whom, and what: a stranger's check of RFC 9421 passes."""
    before = len(demo.entries())
    task = in_folder(demo, drop)
    made_rounds(Courier(demo.services), datetime.now(UTC))
    (path,) = drop.iterdir()
    head, _, body = path.read_bytes().partition(b"\r\n\r\n")
    request, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    method, to, _ = request.split(" ")
    said = orjson.loads(body)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (method, to, headers["Content-Length"]) == ("POST", url_of(drop), str(len(body)))
    assert path.stem == headers["Idempotency-Key"] == said["delivery"]
    assert (said["referral"], said["code"]) == (task, "acknowledged")
    parts = {"@method": method, "@target-uri": to} | {name.lower(): value for name, value in headers.items()}
    signed = "".join(f'"{name}": {parts[name]}\n' for name in COVERED)
    signed += f'"@signature-params": {headers["Signature-Input"].removeprefix("gateway=")}'
    signature = base64.b64decode(headers["Signature"].removeprefix("gateway=:").removesuffix(":"))
    public = demo.services.keyring.message_key.public_key
    assert isinstance(public, Ed25519PublicKey)
    public.verify(signature, signed.encode())
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert headers["Content-Digest"] == f"sha-256=:{digest}:"
    events = {one.idx: one.entry().event for one in demo.entries()[before:]}
    assert events[said["receipt"]["index"]] == Event.FEEDBACK_PUSHED
    assert [one for one in events.values() if one.startswith("push-")] == [Event.PUSH_DELIVERED]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_production_pushes_to_no_folder_though_one_is_registered(demo: World, drop: Path) -> None:
    in_folder(demo, drop)
    production = demo.services.settings.model_copy(update={"environment": Environment.PRODUCTION})
    made_rounds(Courier(replace(demo.services, settings=production)), datetime.now(UTC))
    assert not list(drop.iterdir())
    entry = next(one.entry() for one in demo.entries()[::-1] if one.entry().event == Event.PUSH_FAILED)
    assert (entry.reason, (entry.detail or {})["given_up"]) == ("address", 1)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_folder_that_cannot_be_written_to_is_tried_again(
    demo: World, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_folder(demo, drop)

    def full(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.webhook.folder.put", full)
        made_rounds(Courier(demo.services), datetime.now(UTC))
    assert not list(drop.iterdir())
    later = datetime.now(UTC) + timedelta(hours=1)
    made_rounds(Courier(demo.services, clock=lambda: later), later)
    assert len(list(drop.iterdir())) == 1


def test_a_folder_is_refused_in_production_and_where_it_is_not_there(tmp_path: Path) -> None:
    assert folder_of(url_of(tmp_path), production=False) == tmp_path
    assert folder_of("https://force.example/", production=True) is None
    for url, production in (
        (url_of(tmp_path), True),
        (url_of(tmp_path / "secret"), False),
        ("file://localhost/", True),
    ):
        with pytest.raises(AddressRefused) as refused:
            folder_of(url, production=production)
        assert "secret" not in str(refused.value)


# The operator's commands


@pytest.fixture
def shell(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy_template(prepared_world, tmp_path / "data", with_database=True)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://gateway.test")
    return tmp_path


def run(*words: str, ends: int = 0) -> str:
    done = CliRunner().invoke(app, ["webhook", *words])
    assert done.exit_code == ends, done.output
    return done.output


def test_an_endpoint_is_added_listed_tried_and_removed(shell: Path) -> None:
    with receiver(shell, "127.0.0.1") as made:
        (shell / "ca.pem").write_text(made.ca)
        about = ("--url", made.url, "--agreement", LOG, "--person", "dc-4411", "--ca", str(shell / "ca.pem"))
        assert "signed with the key" in run("add", "demo-rms", *about)
        assert made.url in run("list")
        assert "204" in run("test", "demo-rms")
        assert made.got[0].json == {"test": True}
        made.script.append(500)
        assert "status-500" in run("test", "demo-rms", ends=1)
        run("add", "demo-rms", *about, ends=1)  # one for each client
        run("remove", "demo-rms")
        assert run("list") == ""
        run("test", "demo-rms", ends=1)
        run("remove", "demo-rms", ends=1)


def test_an_operator_registers_a_folder(shell: Path) -> None:
    folder = shell / "what is pushed"
    folder.mkdir()
    about = ("--agreement", LOG, "--person", "dc-4411")
    run("add", "demo-rms", *about, ends=1)
    run("add", "demo-rms", "--url", "https://force.example/", "--folder", str(folder), *about, ends=1)
    assert "signed with the key" in run("add", "demo-rms", "--folder", str(folder), *about)
    assert url_of(folder) in run("list")
    assert "201" in run("test", "demo-rms")
    assert [one.name for one in folder.iterdir()] == ["test.http"]


@pytest.mark.parametrize(
    ("client", "url", "person"),
    [
        ("demo-hospital", "https://force.example/", "dc-4411"),  # may not read feedback
        ("nobody", "https://force.example/", "dc-4411"),
        ("demo-rms", "https://force.example/?key=secret", "dc-4411"),
        ("demo-rms", "https://force.example/", "a name with spaces"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(shell: Path, client: str, url: str, person: str) -> None:
    assert shell
    said = run("add", client, "--url", url, "--agreement", LOG, "--person", person, ends=1)
    assert "secret" not in said
    assert run("list") == ""


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_change_of_endpoints_is_sealed(demo: World) -> None:
    journal = demo.services.journals.of(OPERATOR_LOG)
    before = len(demo.entries(OPERATOR_LOG))
    unit = AddEndpoint("demo-rms", LOG, "https://force.example/f", Pushed.REFERENCE, "dc-4411", "officer-in-case")
    journal.submit_and_wait(unit)
    journal.submit_and_wait(RemoveEndpoint("demo-rms"))
    events = [one.entry().event for one in demo.entries(OPERATOR_LOG)[before:]]
    assert [one for one in events if one.startswith("webhook")] == [Event.WEBHOOK_ADDED, Event.WEBHOOK_REMOVED]
