"""The whole deployment on this machine: secrets as files, every container in the order the compose files wait in."""

from __future__ import annotations

import json
import secrets
import shutil
import ssl
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.demo.client import Client, key_of
from gateway.demo.run import LOG
from gateway.initialise import new_client_key
from tests.deployment import composed
from tests.deployment.container import DOCKER, Container, Host
from tests.deployment.image import CADDY, HAPROXY, POSTGRES, Image
from tests.support.mllp import Authority

FILES = ("compose.yaml", "compose.mllp.yaml", "compose.console.yaml")
PUBLIC, MLLP, LOGIN = "gateway.example.org", "hl7.example.org", "login.example.org"
URL, ISSUER = f"https://{PUBLIC}", f"https://{LOGIN}"
OUTSIDE = "10.89.0.1"  # this process in the network `front`: the clients, the provider, a trust's engine
REPLICAS = ("gateway-1", "gateway-2")


class Refused(Exception):
    """A command that ended with another code than 0; the message is what it said."""


@dataclass
class Stand:
    """Everything that runs. `handed` is a directory that commands see as /handed, as `compose run --volume` gives."""

    folder: Path
    image: Image
    authority: Authority = field(default_factory=Authority)
    running: dict[str, Container] = field(default_factory=dict)
    _commands: int = 0

    def __post_init__(self) -> None:
        """Make the secrets, read the files, and make the networks."""
        self.secrets = self.folder / "secrets"
        self.secrets.mkdir()
        self.passwords = [secrets.token_urlsafe(18) for _ in range(2)]
        for name, text in zip(("superuser-password", "database-password"), self.passwords, strict=True):
            self._secret(name, text.encode())
        key = ec.generate_private_key(ec.SECP256R1())
        pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self._secret("oidc-key.pem", key.private_bytes(*pem))
        self._secret("mllp-client-ca.pem", self.authority.pem)
        self.roll()
        self.secrets.chmod(0o700)
        self.ca = self.folder / "ca.pem"
        self.ca.write_bytes(self.authority.pem)
        self.handed = self.folder / "handed"
        self.handed.mkdir()
        given = {
            "PUBLIC_URL": URL,
            "GATEWAY_DUTY_CONTACT": "Duty information manager, 01632 960001",
            "SECRETS_DIR": str(self.secrets),
            "OIDC_ISSUER": ISSUER,
        }
        images = {"provide-gateway": self.image, "caddy": CADDY, "haproxy": HAPROXY, "postgres": POSTGRES}
        self.host = Host(self.folder / "host", composed.read([DOCKER / file for file in FILES], given), images)
        self.host.rename(LOGIN, OUTSIDE)
        self.host.rename("engine.example.org", OUTSIDE)

    def roll(self) -> None:
        """New certificates for both doors, in the place of the old."""
        for name, host in (("tls", PUBLIC), ("mllp", MLLP)):
            pair = self.authority.issue(host, host)
            self._secret(f"{name}-certificate.pem", pair.certificate)
            self._secret(f"{name}-key.pem", pair.key)

    def _secret(self, name: str, body: bytes) -> None:
        path = self.secrets / name
        path.write_bytes(body)
        path.chmod(0o444)

    def up(self) -> None:
        """`compose up --wait`: database, init, replicas, proxies. Raises NotWell, Refused."""
        self.start("database").wait_healthy()
        began = self.start("init")
        if began.wait():
            raise Refused(began.last_words)
        self.start_all(REPLICAS)
        self.start_all(("proxy", "mllp"))
        self._name_outside()

    def start(self, name: str) -> Container:
        """Start a service, or start it again."""
        container = self.running.setdefault(name, self.host.container(name))
        # The machine's authorities, for whom the gateway asks: a provider signed by one of the test's.
        container.binds = {self.ca: "/etc/ssl/certs/ca-certificates.crt"}
        container.start()
        return container

    def start_all(self, names: Sequence[str]) -> None:
        """Start several, and return when all are healthy."""
        for container in [self.start(name) for name in names]:
            container.wait_healthy()

    def recreate(self, name: str) -> float:
        """`compose up --force-recreate --no-deps NAME`; returns the seconds that stopping took."""
        took, _ = self.running[name].stop()
        self.start(name).wait_healthy()
        return took

    def _name_outside(self) -> None:
        """Have the public names lead to the proxies for this process too: a host's port would, were it published."""
        lines = ["127.0.0.1 localhost", f"{OUTSIDE} {LOGIN}"]
        for name, host in (("proxy", PUBLIC), ("mllp", MLLP)):
            lines.append(f"{self.running[name].address['front']} {host}")
        Path("/etc/hosts").write_text("".join(f"{line}\n" for line in lines))

    def gateway(self, *words: str) -> str:
        """`compose run --rm --volume …:/handed gateway-1 …`. Raises Refused."""
        self._commands += 1
        command = self.host.container("gateway-1", *words, name=f"command-{self._commands}")
        command.binds = {self.handed: "/handed"}
        command.start()
        if command.wait():
            raise Refused(command.last_words)
        return command.last_words

    def agree(self) -> None:
        """Bring the shipped agreement into force: each party signs on a machine of its own."""
        shipped = Path(__file__).resolve().parents[2] / "gateway/agreements/operation-provide.yaml"
        agreement = self.handed / "agreement.yaml"
        shutil.copyfile(shipped, agreement)
        self.gateway("agreement", "check", "/handed/agreement.yaml")
        for party in (one["id"] for one in yaml.safe_load(agreement.read_text())["parties"]):
            out = self.handed / f"{party}.json"
            signs = ("agreement", "sign", "--party", party)
            self._elsewhere(*signs, str(agreement), "--key", str(self.folder / f"{party}.pem"), "--out", str(out))
            out.chmod(0o644)
            self.gateway(*signs, "/handed/agreement.yaml", "--signature", f"/handed/{party}.json")
        self.gateway("agreement", "activate", LOG)

    def _elsewhere(self, *words: str) -> None:
        """A command on the machine of somebody else."""
        subprocess.run([sys.executable, "-m", "gateway", *words], check=True, capture_output=True)

    def admit(self, client: str, organisation: str, *scopes: str, more: Sequence[str] = ()) -> None:
        """Register a client that made its key elsewhere and sent its public half."""
        public = new_client_key(self.folder / f"{client}.pem")
        (self.handed / f"{client}.jwks.json").write_text(json.dumps(public))
        asked = [word for scope in scopes for word in ("--scope", scope)]
        self.gateway(
            "client", "add", client, "--organisation", organisation, *asked, "--agreement", LOG,
            "--jwks", f"/handed/{client}.jwks.json", *more,
        )  # fmt: skip

    def admit_engine(self) -> None:
        """Register a hospital's engine by the certificate that it shows over MLLP."""
        self.engine = self.authority.issue("engine.example.org", "engine.example.org").write(self.folder, "engine")
        shutil.copyfile(self.engine[0], self.handed / "engine.pem")
        self.gateway(
            "client", "add", "engine", "--organisation", "RXL", "--scope", "health:referral.write",
            "--scope", "health:notice.write", "--agreement", LOG, "--certificate", "/handed/engine.pem",
        )  # fmt: skip

    def engine_tls(self) -> ssl.SSLContext:
        """How that engine connects."""
        tls = ssl.create_default_context(cafile=self.ca)
        tls.load_cert_chain(*self.engine)
        return tls

    def client(self, name: str, user: dict[str, str] | None = None) -> Client:
        """A client of the outside, signed in."""
        client = Client(URL, name, key_of(self.folder / f"{name}.pem"), user)
        client.sign_in()
        return client

    def down(self) -> None:
        """End everything, whatever state it is in."""
        for container in reversed(self.running.values()):
            container.stop()
