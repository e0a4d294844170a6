"""The console before a real OpenID provider that shares no line with it: oidc-provider (npm), run by node on loopback.

The browser is a client of the test's that speaks HTTP to the provider and calls the application without a socket.
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from tests.journeys.support import sealed, size, world_on
from tests.support.console import ADVISER, ConsoleClient
from tests.support.world import URL, Bridge, World

PROVIDER = "oidc-provider@9.13.3"
SCRIPT = Path(__file__).with_name("oidc_provider.mjs")
INSTALL_SECONDS = 60  # forty small packages; a registry that takes longer does not answer

PEOPLE: dict[str, dict[str, Any]] = {
    "rosalind": {
        "name": ADVISER.name,
        "staff_id": ADVISER.id,
        "organisation": "RXL",
        "team": "idva-team",
        "agreement": LOG,
        "roles": ["adviser"],
    },
    "nobody-here": {"name": "A Doctor", "staff_id": "doctor-1", "organisation": "RXL", "roles": ["consultant"]},
}


@dataclass(frozen=True, slots=True)
class Provider:
    """Where it is, and the key the console proves itself with there."""

    issuer: str
    key_file: Path


@dataclass(frozen=True, slots=True)
class Told:
    """An address at which the provider says, by no browser, what has ended; what it said waits to be taken."""

    address: str
    words: queue.Queue[tuple[str, bytes]]


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    """Such an address, on loopback."""
    words: queue.Queue[tuple[str, bytes]] = queue.Queue()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            words.put((self.headers["Content-Type"], body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Told(f"http://127.0.0.1:{server.server_port}/", words)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, told: Told) -> Iterator[Provider]:
    """A running provider; skips where there is no node, or no registry."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("provider")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), PROVIDER]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip("the registry of npm does not answer")
    if done.returncode:
        pytest.skip("the provider cannot be installed from the registry of npm")
    key = RSAKey.generate_key(2048)
    key_file = folder / "console.pem"
    key_file.write_bytes(key.as_pem(private=True))
    signing = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"})
    config = {
        "people": PEOPLE,
        "keys": [{**signing.as_dict(private=True), "kid": signing.thumbprint()}],
        "client": {
            "client_id": "provide-console",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "PS256",
            "id_token_signed_response_alg": "ES256",
            "jwks": {"keys": [{**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig"}]},
            "redirect_uris": [f"{URL}/console/signed-in"],
            "post_logout_redirect_uris": [f"{URL}/console/signed-out"],
            "backchannel_logout_uri": told.address,
            "backchannel_logout_session_required": True,
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    script = shutil.copy(SCRIPT, folder)
    process = subprocess.Popen(
        [node, script, str(folder / "config.json")], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        said = next((line for line in process.stdout if line.startswith(b"listening ")), b"")
        assert said, "the provider did not start"
        yield Provider(said.decode().split()[1], key_file)
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def world(
    provider: Provider, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world whose people sign in at that provider, and nowhere else."""
    settings = {"oidc_issuer": provider.issuer, "oidc_client_key_file": provider.key_file}
    with world_on("sqlite", request, tmp_path_factory.mktemp("external") / "world", **settings) as opened:
        yield opened


@pytest.fixture
def client(world: World) -> Iterator[ConsoleClient]:
    """A browser that reaches both: the application without a socket, the provider over HTTP."""
    mounts: dict[str, httpx.BaseTransport | None] = {URL: Bridge(world.app, world._runner)}
    with httpx.Client(base_url=URL, mounts=mounts, trust_env=False) as http:
        yield ConsoleClient(http)


def at_provider(client: ConsoleClient, page: httpx.Response, login: str) -> httpx.Response:
    """Its own pages: who one is, and that one agrees; back at the console."""
    page = client.follow(client.form(page, {"login": login, "password": "any"}).submit())
    return client.follow(client.form(page).submit()) if page.url.host == "127.0.0.1" else page


def test_somebody_signs_in_at_a_provider_of_others_and_out_again(
    world: World, client: ConsoleClient, provider: Provider
) -> None:
    start = size(world, OPERATOR_LOG)
    page = client.follow(client.get("/console/sign-out"))
    assert str(page.url).startswith(provider.issuer)
    page = at_provider(client, page, "rosalind")
    assert (page.status_code, str(page.url)) == (200, f"{URL}/console/worklist")  # never to one of signing out
    assert ADVISER.name in client.get("/console/sign-out").text
    began = sealed(world, OPERATOR_LOG, start)[0]
    assert (began.event, began.actor.user, began.actor.role) == ("person-signed-in", ADVISER.id, "idva")

    out = client.form("/console/sign-out", at="this browser").submit()
    assert out.status_code == 200  # a page, for its policy lets no form lead to another address
    away = out.headers["refresh"].removeprefix("0; url=")
    assert away.startswith(f"{provider.issuer}/session/end?")
    confirm = client.follow(client.get(away))
    gone = client.follow(replace(client.form(confirm), button=("logout", "yes")).submit())
    assert (gone.status_code, str(gone.url)) == (200, f"{URL}/console/signed-out")
    assert client.get("/console/sign-out").is_redirect
    again = client.follow(client.get("/console/sign-in"))
    assert again.url.host == "127.0.0.1"  # it asks who is there, and has forgotten who was


def test_whoever_signs_out_at_the_provider_is_signed_out_here_and_said_twice_it_ends_nothing_more(
    world: World, client: ConsoleClient, provider: Provider, told: Told
) -> None:
    while not told.words.empty():
        told.words.get()  # of somebody who left by the console
    at_provider(client, client.follow(client.get("/console/sign-in")), "rosalind")
    assert ADVISER.name in client.get("/console/sign-out").text
    start = size(world, OPERATOR_LOG)
    confirm = client.get(f"{provider.issuer}/session/end")  # the provider's own page, which no page of ours leads to
    replace(client.form(confirm), button=("logout", "yes")).submit()
    media, body = told.words.get(timeout=INSTALL_SECONDS)

    def say(sent: bytes) -> httpx.Response:
        return client.http.post("/openid/back-channel-logout", content=sent, headers={"Content-Type": media})

    assert (say(body[:-4]).status_code, say(b"").status_code, say(body + b"&" + body).status_code) == (400, 400, 400)
    assert ADVISER.name in client.get("/console/sign-out").text
    answer = say(body)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert client.get("/console/sign-out").is_redirect
    (entry,) = sealed(world, OPERATOR_LOG, start)
    assert (entry.event, entry.reason) == ("person-signed-out", "ended-at-provider")
    assert say(body).status_code == 200
    assert size(world, OPERATOR_LOG) == start + 1


def test_somebody_the_provider_knows_and_the_console_does_not_is_told_so(world: World, client: ConsoleClient) -> None:
    start = size(world, OPERATOR_LOG)
    page = at_provider(client, client.follow(client.get("/console/sign-in")), "nobody-here")
    assert page.status_code == 403
    assert "not what you do here" in page.text
    (entry,) = sealed(world, OPERATOR_LOG, start)
    assert (entry.event, entry.reason) == ("sign-in-refused", "role-missing")


def test_somebody_who_changes_their_mind_is_not_signed_in(client: ConsoleClient) -> None:
    page = client.follow(client.get("/console/sign-in"))
    found = [link for link in page.text.split('"') if link.endswith("/abort")]
    answer = client.follow(client.get(found[0] if found[0].startswith("http") else str(page.url.join(found[0]))))
    assert answer.status_code == 403
    assert str(answer.url).startswith(f"{URL}/console/signed-in?error=access_denied")
    assert client.get("/console/sign-out").is_redirect


def test_the_embedded_provider_is_not_there_beside_another(client: ConsoleClient) -> None:
    for path in ("/provider/authorize", "/provider/keys", "/provider/.well-known/openid-configuration"):
        assert client.get(path).status_code == 404
    assert client.http.post("/provider/token").status_code == 404


def test_the_console_s_key_is_published_for_the_provider(client: ConsoleClient, provider: Provider) -> None:
    kid = RSAKey.import_key(provider.key_file.read_bytes()).thumbprint()
    keys = client.get("/.well-known/jwks.json").json()["keys"]
    assert [key for key in keys if key["kid"] == kid and "d" not in key]
