"""The compose file and the image say what the gateway needs, and nothing it does not know.

No container is started: the files are read, and the entrypoint runs with a `gateway` that writes down what it was told.
`python -m tests.deployment` starts all of it.
"""

from __future__ import annotations

import inspect
import os
import re
import stat
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from gateway.settings import Settings
from gateway.web.leaving import GRACE_SECONDS
from tests.deployment.composed import merged

DOCKER = Path(__file__).resolve().parents[1] / "docker"
REPLICAS = ("gateway-1", "gateway-2")
OPERATOR = {
    "PUBLIC_URL": "https://gateway.example.org",
    "GATEWAY_DUTY_CONTACT": "Duty information manager, 01632 960001",
    "SECRETS_DIR": "/secrets",
    "OIDC_ISSUER": "https://login.example.org",
}
"""What the operator gives."""


@cache
def compose(*more: str) -> Any:
    """The compose file, and further ones merged into it."""
    return merged([DOCKER / file for file in ("compose.yaml", *more)], OPERATOR)


def with_mllp() -> Any:
    return compose("compose.mllp.yaml")


def service(name: str) -> Any:
    return compose()["services"][name]


def settings_of(environment: dict[str, str]) -> Settings:
    """The settings a process has in that environment. An unknown GATEWAY_ variable fails; the gateway ignores it."""
    given = {
        key.removeprefix("GATEWAY_").lower(): value for key, value in environment.items() if key.startswith("GATEWAY_")
    }
    return Settings(**given)  # type: ignore[arg-type]  # text, as from an environment


@pytest.mark.parametrize("name", [*REPLICAS, "init"])
def test_every_gateway_process_may_serve_real_records(name: str) -> None:
    """Each variable is a setting, and production has nothing to refuse."""
    settings = settings_of(service(name)["environment"])
    assert settings.environment == "production"
    assert settings.refusals() == ()
    assert settings.database.startswith("postgresql+psycopg://gateway@database")


def test_every_process_has_the_same_settings() -> None:
    """Replicas that differ would answer differently, and seal different configurations."""
    assert service("init")["environment"] == service("gateway-1")["environment"] == service("gateway-2")["environment"]


def test_the_image_names_settings_that_exist() -> None:
    named = re.findall(r"\bGATEWAY_(\w+)=", (DOCKER / "Dockerfile").read_text())
    assert named
    assert {name.lower() for name in named} <= Settings.model_fields.keys()


def test_no_secret_stands_in_a_file_of_the_project() -> None:
    """Passwords come as files from a directory the operator names; no URL and no variable holds one."""
    assert {one["file"].rpartition("/")[0] for one in compose()["secrets"].values()} == {OPERATOR["SECRETS_DIR"]}
    for name, one in compose()["services"].items():
        for variable, value in one.get("environment", {}).items():
            assert "PASSWORD" not in variable or value.startswith("/run/secrets/"), name
            assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), name
        assert set(one.get("secrets", ())) <= compose()["secrets"].keys(), name


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    """The database is on a network without a way out, and shares none with the proxy."""
    services = compose()["services"]
    assert {name for name, one in services.items() if "ports" in one} == {"proxy"}
    assert service("proxy")["ports"] == ["443:443"]
    assert service("database")["networks"] == ["back"]
    assert compose()["networks"]["back"] == {"internal": True}
    assert set(service("proxy")["networks"]) == {"front"}


def test_what_must_last_lies_in_named_volumes_and_keys_apart_from_data() -> None:
    """One process writes the keys; those that serve only read them."""
    volumes = {
        name: [one for one in made.get("volumes", ()) if not one.startswith(".")]
        for name, made in compose()["services"].items()
    }
    assert volumes["init"] == ["keys:/etc/gateway/keys"]
    assert volumes["gateway-1"] == volumes["gateway-2"] == ["keys:/etc/gateway/keys:ro"]
    assert volumes["database"] == ["database:/var/lib/postgresql/data"]
    assert compose()["volumes"].keys() == {"database", "keys"}
    assert str(settings_of(service("init")["environment"]).keys) == "/etc/gateway/keys"


def test_each_waits_until_what_it_needs_is_well() -> None:
    """Whatever is waited for can tell that it is well: the image's own check, or one in the compose file."""
    assert service("init")["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in REPLICAS:
        assert service(name)["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
        assert "healthcheck" not in service(name)
    assert service("proxy")["depends_on"] == {name: {"condition": "service_healthy"} for name in REPLICAS}
    assert "test" in service("database")["healthcheck"]
    assert "HEALTHCHECK" in (DOCKER / "Dockerfile").read_text()


@pytest.mark.parametrize("name", [*REPLICAS, "init", "proxy"])
def test_nothing_that_faces_others_can_write_its_own_program(name: str) -> None:
    one = service(name)
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]


def test_the_image_runs_as_nobody_in_particular_and_asks_whether_it_is_ready() -> None:
    """A user by number, after which nothing is changed; the port and address the proxy and the check use."""
    words = (DOCKER / "Dockerfile").read_text()
    last = words.rpartition("\nFROM ")[2]
    before, _, after = last.partition("\nUSER 10001:10001\n")
    assert "RUN" in before
    assert "RUN" not in after
    assert "http://127.0.0.1:8080/health/ready" in after
    assert 'CMD ["serve", "--host", "0.0.0.0"]' in after
    assert after.count("EXPOSE 8080") == 1


def test_the_proxy_serves_the_public_address_and_sends_to_every_replica() -> None:
    """Metrics and health stay inside."""
    words = (DOCKER / "Caddyfile").read_text()
    assert "{$PUBLIC_URL} {" in words
    assert f"reverse_proxy {' '.join(f'{name}:8080' for name in REPLICAS)} {{" in words
    assert "health_uri /health/ready" in words
    assert re.search(r"@inside path /metrics /health/\*\n\s*respond @inside 404", words)
    for mounted in re.findall(r"/run/secrets/(\w+)", words):
        assert mounted in service("proxy")["secrets"]


def test_the_proxy_says_of_a_request_nothing_that_may_be_a_secret_or_personal() -> None:
    """No header and no query: a code to sign in is in one, a cookie in the other."""
    words = (DOCKER / "Caddyfile").read_text()
    assert re.search(r"\tlog \{(\n.*)*?\trequest>headers delete\n\t*request>uri regexp \"\[\?\]\.\*\" \"\"", words)


def test_the_proxy_lets_go_of_an_idle_line_before_the_replica_does() -> None:
    [seconds] = re.findall(r"keepalive (\d+)s", (DOCKER / "Caddyfile").read_text())
    assert int(seconds) < inspect.signature(uvicorn.Config).parameters["timeout_keep_alive"].default


@pytest.mark.parametrize("name", [*REPLICAS, "init"])
def test_with_mllp_every_gateway_process_may_still_serve_real_records(name: str) -> None:
    """All seal one configuration; certificate, key and authorities are mounted where they are named."""
    one = with_mllp()["services"][name]
    settings = settings_of(one["environment"])
    assert settings.refusals() == ()
    assert one["environment"] == with_mllp()["services"]["init"]["environment"]
    assert (settings.mllp_host, settings.mllp_port) == ("0.0.0.0", 2575)  # noqa: S104 - inside the container
    files = (settings.mllp_certificate, settings.mllp_key, settings.mllp_client_ca)
    if name in REPLICAS:
        assert {str(one) for one in files} <= {f"/run/secrets/{one}" for one in one["secrets"]}


def test_with_mllp_one_more_port_is_open_and_leads_to_every_replica() -> None:
    """TLS is not ended on the way: the proxy has no certificate and no key."""
    services = with_mllp()["services"]
    assert {name: one["ports"] for name, one in services.items() if "ports" in one} == {
        "proxy": ["443:443"],
        "mllp": ["2575:2575"],
    }
    proxy = services["mllp"]
    assert "secrets" not in proxy
    assert proxy["networks"] == ["front"]
    assert proxy["depends_on"] == {name: {"condition": "service_healthy"} for name in REPLICAS}
    assert (proxy["read_only"], proxy["cap_drop"]) == (True, ["ALL"])
    words = (DOCKER / "haproxy.cfg").read_text()
    assert "ssl" not in words.lower()
    assert re.findall(r"^\tserver (\S+) (\S+)$", words, re.MULTILINE) == [(name, f"{name}:2575") for name in REPLICAS]
    assert re.search(r"frontend hl7\n\tbind :2575\n", words)
    assert "option httpchk GET /health/ready" in words
    assert "check port 8080" in words
    assert "EXPOSE 8080 2575" in (DOCKER / "Dockerfile").read_text()
    assert "http://127.0.0.1:8404/live" in proxy["healthcheck"]["test"]
    assert re.search(r"bind 127\.0\.0\.1:8404\n(.*\n)*\tmonitor-uri /live", words)


def test_a_silent_line_is_ended_by_the_gateway_and_not_by_the_proxy() -> None:
    minutes = re.findall(r"timeout (?:client|server) (\d+)m", (DOCKER / "haproxy.cfg").read_text())
    assert len(minutes) == 2
    assert min(map(int, minutes)) * 60 > Settings.model_fields["mllp_idle_seconds"].default


@pytest.mark.parametrize("name", [*REPLICAS, "init"])
def test_with_the_console_every_gateway_process_may_still_serve_real_records(name: str) -> None:
    """All seal one configuration; the key for the provider is mounted where it is named."""
    services = compose("compose.console.yaml")["services"]
    settings = settings_of(services[name]["environment"])
    assert settings.refusals() == ()
    assert settings.oidc_issuer == OPERATOR["OIDC_ISSUER"]
    assert services[name]["environment"] == services["init"]["environment"]
    assert name == "init" or str(settings.oidc_client_key_file) == f"/run/secrets/{services[name]['secrets'][-1]}"
    assert settings_of(service(name)["environment"]).oidc_issuer is None


def test_a_replica_that_is_stopped_is_passed_over_before_it_goes() -> None:
    """It answers on for longer than a proxy needs to notice, and ends well within its grace."""
    leaves = settings_of(service("gateway-1")["environment"]).leave_seconds
    caddy, haproxy = ((DOCKER / file).read_text() for file in ("Caddyfile", "haproxy.cfg"))
    [asks] = re.findall(r"health_interval (\d+)s", caddy)
    [(inter, fall)] = re.findall(r"inter (\d+)s fall (\d+)", haproxy)
    assert max(int(asks), int(inter) * int(fall)) < leaves
    assert leaves + GRACE_SECONDS < int(service("gateway-1")["stop_grace_period"].rstrip("s"))


def test_no_secret_of_mllp_stands_in_a_file_of_the_project() -> None:
    assert {one["file"].rpartition("/")[0] for one in with_mllp()["secrets"].values()} == {OPERATOR["SECRETS_DIR"]}
    for name, one in with_mllp()["services"].items():
        assert set(one.get("secrets", ())) <= with_mllp()["secrets"].keys(), name


def test_the_image_is_built_from_the_rooms_alone() -> None:
    """Everything else is kept out of the build: history, tests, a developer's keys and databases."""
    lines = (DOCKER / "Dockerfile.dockerignore").read_text().split("\n")
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    assert kept == {"pyproject.toml", "README.md", "audit", "mappings", "adapters", "gateway", "docker/entrypoint"}


def written_down(tmp_path: Path, program: str, script: str) -> dict[str, str]:
    """An environment in which `program` is a shell script of the test's own."""
    fake = tmp_path / "bin" / program
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    return {"PATH": f"{fake.parent}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}


@pytest.mark.parametrize(
    ("password", "line"),
    [("5f1c9e", "*:*:*:*:5f1c9e"), ("a:b\\c d'$e", "*:*:*:*:a\\:b\\\\c d'$e"), ("ends\n", "*:*:*:*:ends")],
)
def test_the_password_reaches_the_driver_in_a_file_that_only_its_owner_reads(
    password: str, line: str, tmp_path: Path
) -> None:
    """It is escaped as the driver reads it; the words of the command arrive as they were."""
    secret = tmp_path / "password"
    secret.write_text(password)
    secret.chmod(0o444)
    environment = written_down(tmp_path, "gateway", 'printf "%s\\n" "$PGPASSFILE" "$#" "$@"')
    done = subprocess.run(
        [DOCKER / "entrypoint", "serve", "--host", "two words"],
        env=environment | {"DATABASE_PASSWORD_FILE": str(secret)},
        capture_output=True,
        text=True,
        check=True,
    )
    passfile, *words = done.stdout.splitlines()
    assert words == ["3", "serve", "--host", "two words"]
    assert stat.S_IMODE(Path(passfile).stat().st_mode) == 0o600
    assert Path(passfile).read_text().splitlines() == [line]


def test_a_password_file_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    """Rather than a connection that fails later for a reason nobody sees."""
    environment = written_down(tmp_path, "gateway", "echo started")
    done = subprocess.run(
        [DOCKER / "entrypoint", "serve"],
        env=environment | {"DATABASE_PASSWORD_FILE": str(tmp_path / "absent")},
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == b""
