"""What a stranger does with it: each trial returns what was seen, in words, or fails by what was not as it should."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from adapters.mllp import Framer
from gateway.demo.client import Client
from gateway.demo.run import LOG
from tests.deployment.login import provider
from tests.deployment.stand import ISSUER, LOGIN, MLLP, OUTSIDE, PUBLIC, URL, Stand
from tests.deployment.traffic import Line, push, said
from tests.support.mllp import told

ADVISER = {"id": "idva-0042", "role": "idva"}
LIVE_SECONDS = 2.0  # a change by another replica is found in half a second


def set_up(stand: Stand) -> str:
    """Agreement, clients, an engine and an endpoint, by the commands of the README in a container of their own."""
    began = time.monotonic()
    stand.agree()
    stand.admit("force-rms", "04", "police:incident.write", "police:feedback.read")
    reads = ("health:referral.read", "health:referral.write", "health:notice.write")
    stand.admit("trust-ehr", "RXL", *reads, more=("--recipient", "idva-team"))
    stand.admit("auditor", "RXL", "audit:log.read", "audit:pack.export")
    stand.admit_engine()
    return f"{time.monotonic() - began:.0f} s"


def front_door(stand: Stand) -> str:
    """Over TLS alone, with HSTS; what is for the operator's monitor is not there; nothing says who serves."""
    with httpx.Client(base_url=URL, http2=False) as http:
        answer = http.get("/.well-known/jwks.json")
        assert answer.status_code == 200
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        for path in ("/metrics", "/health/live", "/health/ready", "//metrics", "/health/../metrics", "/%6detrics"):
            hidden = http.get(path)
            assert hidden.status_code == 404, f"{path} was answered {hidden.status_code}"
            assert b"gateway_" not in hidden.content
            assert hidden.headers["Strict-Transport-Security"]
    address = stand.running["proxy"].address["front"]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address, 80), timeout=2)
    old = ssl.create_default_context(cafile=stand.ca)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError), socket.create_connection((address, 443)) as line:  # noqa: PT011 - many ways to say no
        old.wrap_socket(line, server_hostname=PUBLIC)
    return f"served by {answer.headers.get('server', 'nobody named')}"


def forged_headers(_: Stand) -> str:
    """What a client says of a proxy, an address or a host changes nothing that is sent back."""
    forged = {
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=10.0.0.1;host=evil.example;proto=http",
    }
    with httpx.Client(base_url=URL, headers=forged) as http:
        for path in ("/.well-known/oauth-authorization-server", "/console", "/fhir/R4/metadata", "/openapi.json"):
            answer = http.get(path)
            assert "evil.example" not in answer.text + str(answer.headers), path
            assert "http://gateway" not in answer.text + str(answer.headers), path
        other = http.get("/.well-known/jwks.json", headers={"Host": "evil.example"})
        assert not other.content
    return f"another Host is answered {other.status_code}, and nothing"


def large_bodies(stand: Stand) -> str:
    """A body or a head that is too large is refused through the proxy too."""
    with stand.client("force-rms") as client:
        http = client.http
        headers = {"Content-Type": "application/vnd.api+json"}
        large = http.post("/police/v1/incidents", content=b" " * (2 << 20), headers=headers)
        chunked = http.post("/police/v1/incidents", content=iter([b" " * 65_536] * 40), headers=headers)
        with suppress(httpx.TransportError):
            head = http.get("/openapi.json", headers={"X-Long": "x" * 100_000})
            assert head.status_code == 431, head.status_code
    assert (large.status_code, chunked.status_code) == (413, 413)
    return "413, 413, 431"


def slow_head(stand: Stand) -> str:
    """Whoever begins a request and does not go on holds its line for seconds, and not for ever."""
    tls = ssl.create_default_context(cafile=stand.ca)
    began = time.monotonic()
    with tls.wrap_socket(socket.create_connection((PUBLIC, 443), timeout=60), server_hostname=PUBLIC) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: ")
        while line.recv(4096):
            pass
    return f"let go after {time.monotonic() - began:.0f} s"


def push_and_read(stand: Stand) -> str:
    """An incident over TLS, read by the team, with a receipt."""
    with stand.client("force-rms") as force, stand.client("trust-ehr", ADVISER) as team:
        began = time.monotonic()
        pushed = push(force.http, 1)
        assert pushed.status_code == 201, pushed.text
        reference = pushed.json()["referrals"][0]["reference"]
        read = team.get("/fhir/R4/ServiceRequest", params={"_id": reference, "_include": "ServiceRequest:subject"})
        took = time.monotonic() - began
        assert read.json()["total"] == 1
        assert read.headers["Gateway-Receipt"].startswith('log="gateway.example.org/logs/operation-provide"')
    return f"{took * 1000:.0f} ms from push to read"


def hl7_in(stand: Stand) -> str:
    """HL7 v2 through the TCP proxy: with a certificate that is registered, and with none."""
    line = Line(stand.engine_tls())
    assert told(line.ask(said("D1"))) == ("AA", "D1")
    assert told(line.ask(said("D1"))) == ("AA", "D1")
    with pytest.raises((OSError, EOFError)):  # TLS 1.3 tells a client so when it first reads
        Line(ssl.create_default_context(cafile=stand.ca)).ask(said("D2"))
    return f"AA at {MLLP}, and nothing without a certificate"


def hl7_out(stand: Stand) -> str:
    """A referral to a trust's engine over TLS, where the gateway shows its certificate."""
    got: list[bytes] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*stand.engine)
    tls.load_verify_locations(cafile=stand.ca)
    tls.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server((OUTSIDE, 2576)) as door:
        door.settimeout(30)
        thread = threading.Thread(target=_take, args=(door, tls, got))
        thread.start()
        words = ["--channel", "mllp", "--address", "mllps://engine.example.org:2576", "--agreement", LOG]
        about = ["--person", "idva-0042", "--hides-from-online-access", "--option", "application=ENGINE"]
        stand.gateway("endpoint", "add", "trust-ehr", *words, *about)
        began = time.monotonic()
        with stand.client("force-rms") as force:
            assert push(force.http, 2).status_code == 201
        thread.join()
        took = time.monotonic() - began
    assert b"|REF^I12" in got[0], got[0][:80]
    assert b"|P|2.4|" in got[0]
    [added] = [one.split("\t")[0] for one in stand.gateway("endpoint", "list").splitlines() if "mllps://" in one]
    stand.gateway("endpoint", "remove", added, "--agreement", LOG)
    return f"{took:.1f} s from push to engine"


def _take(door: socket.socket, tls: ssl.SSLContext, got: list[bytes]) -> None:
    """Take one message and acknowledge it."""
    plain, _ = door.accept()
    with tls.wrap_socket(plain, server_side=True) as line:
        framer = Framer(1 << 20)
        while not got:
            got.extend(one for one in framer.feed(line.recv(65_536)) if isinstance(one, bytes))
        named = got[0].split(b"|")[9]
        line.sendall(b"\x0bMSH|^~\\&|E|RXL|G|P|20260301||ACK^I12|A1|P|2.4\rMSA|AA|" + named + b"\r\x1c\r")


def console_live(stand: Stand) -> str:
    """Somebody signs in at the provider, watches the worklist, and hears of a push that the other replica took."""
    files = stand.authority.issue(LOGIN, LOGIN).write(stand.folder, "login")
    with provider(ISSUER, OUTSIDE, files), httpx.Client(base_url=URL, timeout=20) as browser:
        page = browser.get("/console/worklist", follow_redirects=True, headers={"Sec-Fetch-Site": "none"})
        assert page.url.path == "/console/worklist", page.text[:500]
        cookies = [cookie for cookie in browser.cookies.jar if cookie.name.startswith("__Host-")]
        assert cookies, [cookie.name for cookie in browser.cookies.jar]
        assert all(cookie.secure and cookie.has_nonstandard_attr("HttpOnly") for cookie in cookies)
        with browser.stream("GET", "/console/worklist/events") as events:
            lines = events.iter_lines()
            began = time.monotonic()
            assert ": watching" in [next(lines), next(lines)]
            first = time.monotonic() - began
            with stand.client("force-rms") as force:
                slowest = max(_heard(force, lines, serial) for serial in range(10, 16))
    assert first < LIVE_SECONDS
    assert slowest < LIVE_SECONDS
    return f"begins after {first * 1000:.0f} ms; of six pushes the slowest is heard after {slowest * 1000:.0f} ms"


def _heard(force: Client, lines: Iterator[str], serial: int) -> float:
    assert push(force.http, serial).status_code == 201
    began = time.monotonic()
    for line in lines:
        if line == "event: changed":
            break
    return time.monotonic() - began


def proof(stand: Stand) -> str:
    """The auditor's pack, fetched through the proxy and verified without the gateway."""
    with stand.client("auditor") as auditor:
        [key] = [one["key"] for one in auditor.get("/audit/v1/logs").json()["logs"] if one["id"] == LOG]
        pack = stand.folder / "evidence.pack"
        pack.write_bytes(auditor.get(f"/audit/v1/logs/{LOG}/pack").content)
    done = subprocess.run(
        [sys.executable, "-m", "audit", "verify", str(pack), "--key", key], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[0]
