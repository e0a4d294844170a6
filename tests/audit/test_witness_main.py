"""The witness's command line: what it makes, what it refuses to use, and that it needs no room but its own."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from audit import witness_main
from audit.__main__ import main
from audit.checkpoint import Checkpoint
from audit.note import CosignerVerifier
from audit.witness import Cosigned
from audit.witness_client import GatewayUnreachable
from audit.witness_watch import Disagreement
from tests.audit.witnessed import LOG

DONE, REFUSED, NOT_DONE = 0, 1, 2


@pytest.fixture
def key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "key"
    assert main(["witness", "keygen", "--name", "trust.example/w1", "--out", str(path)]) == DONE
    assert CosignerVerifier.from_text(capsys.readouterr().out.strip()).name == "trust.example/w1"
    return path


def served(key: Path, *more: str) -> int:
    return main(["witness", "serve", "--key", str(key), "--log", LOG.verifier.text, "--state", str(key.parent), *more])


def test_a_key_is_the_owner_s_alone_and_never_overwritten(key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    assert main(["witness", "keygen", "--name", "other", "--out", str(key)]) == NOT_DONE
    assert key.read_bytes() == before
    key.chmod(0o640)
    assert served(key) == NOT_DONE
    assert "chmod 600" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["", "a b", "a+b"])
def test_a_name_that_a_note_cannot_carry_is_refused(name: str, tmp_path: Path) -> None:
    assert main(["witness", "keygen", "--name", name, "--out", str(tmp_path / "k")]) == NOT_DONE
    assert not (tmp_path / "k").exists()


@pytest.mark.parametrize(
    "spoil", [lambda raw: raw[:-10], lambda raw: raw.replace(b"@v1", b"@v2"), lambda _: b"", lambda raw: b"\xff" + raw]
)
def test_a_key_file_that_is_none_is_refused(key: Path, spoil: object) -> None:
    assert callable(spoil)
    key.write_bytes(spoil(key.read_bytes()))
    assert served(key) == NOT_DONE


@pytest.mark.parametrize(
    "more",
    [
        ("--listen", "8090"),
        ("--listen", "127.0.0.1:http"),
        ("--tls-cert", "cert.pem"),
        ("--tls-cert", "cert.pem", "--tls-key", "key.pem"),
        ("--log", LOG.verifier.text),
        ("--log", "no key"),
    ],
)
def test_what_cannot_be_served_is_said(key: Path, more: tuple[str, ...]) -> None:
    assert served(key, *more) == NOT_DONE


def test_watching_goes_on_past_what_cannot_be_asked_and_ends_at_another_history(
    key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds: list[Cosigned | Exception] = [
        GatewayUnreachable("off"),
        Cosigned(Checkpoint(LOG.name, 7, bytes(32)), "note", "line"),
        Disagreement("the log has shrunk", key.parent / "evidence"),
    ]
    pauses: list[float] = []

    def watch_once(*_: object) -> Cosigned:
        found = rounds.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    client = key.parent / "client.pem"
    private = ec.generate_private_key(ec.SECP256R1())
    client.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setattr(witness_main, "watch_once", watch_once)
    monkeypatch.setattr(time, "sleep", pauses.append)
    options = ["--key", str(key), "--log", LOG.verifier.text, "--state", str(key.parent / "state")]
    asked = ["--url", "https://gateway.test", "--log-id", "a-log", "--client", "w", "--client-key", str(client)]
    assert main(["witness", "watch", *options, *asked, "--every", "60"]) == REFUSED
    assert pauses == [60, 60]
    silent, cosigned, refused = capsys.readouterr().out.splitlines()
    assert silent == "Not done, and tried again in 60 s: off"
    assert cosigned == f"Cosigned: {LOG.name} with 7 entries."
    assert refused.startswith("REFUSED: the log has shrunk. Nothing was cosigned.")


def test_a_command_that_is_none_is_a_fault_of_usage() -> None:
    for words in ([], ["watch"], ["keygen"], ["nothing"]):
        with pytest.raises(SystemExit) as ended:
            main(["witness", *words])
        assert ended.value.code == NOT_DONE


def test_the_witness_needs_no_other_room_no_database_and_no_http_library() -> None:
    program = (
        "import sys, audit.witness_main\n"
        "rooms = {'gateway', 'adapters', 'mappings', 'sqlalchemy', 'httpx', 'joserfc', 'fastapi', 'pydantic'}\n"
        "print(*rooms & {name.partition('.')[0] for name in sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60, text=True)
    assert found.stdout == "\n"
