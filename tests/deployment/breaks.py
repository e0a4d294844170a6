"""What an operator does to it, and what befalls it, while others use it: nothing accepted may be missing afterwards."""

from __future__ import annotations

import ssl
import subprocess
import time
from pathlib import Path

from tests.bench.households import household_incident
from tests.deployment.stand import MLLP, PUBLIC, REPLICAS, Stand
from tests.deployment.traffic import Line, Traffic, push, said
from tests.support.mllp import told

ENOUGH = 12  # pushes that come after a fault, before the next thing is done


def replica_killed(stand: Stand) -> str:
    """SIGKILL of one replica in the middle of traffic: the other goes on; started again, it joins."""
    with Traffic(stand) as traffic:
        traffic.more(ENOUGH)
        stand.running["gateway-1"].kill()
        traffic.more(ENOUGH)
        stand.start("gateway-1").wait_healthy()
        traffic.more(ENOUGH)
    _check_kept(stand, traffic)
    return traffic.in_words()


def replicas_renewed(stand: Stand) -> str:
    """One replica after the other is stopped and made again, under another address: no sender is refused a push."""
    took = []
    with Traffic(stand) as traffic:
        for name in REPLICAS:
            traffic.more(ENOUGH)
            took.append(stand.recreate(name))
        traffic.more(ENOUGH)
    _check_kept(stand, traffic)
    pushes = sum(count for what, count in traffic.failed.items() if what.startswith("push"))
    assert not pushes, traffic.in_words()
    return f"stopped in {' and '.join(f'{one:.1f} s' for one in took)}; {traffic.in_words()}"


def replica_stopped(stand: Stand) -> str:
    """SIGTERM in the middle of traffic ends a replica with 0, in less than its grace."""
    with Traffic(stand) as traffic:
        traffic.more(ENOUGH)
        took, code = stand.running["gateway-2"].stop()
        traffic.more(ENOUGH)
        stand.start("gateway-2").wait_healthy()
    _check_kept(stand, traffic)
    assert code == 0, code
    return f"ended with 0 after {took:.1f} s; {traffic.in_words()}"


def database_restarted(stand: Stand) -> str:
    """PostgreSQL is restarted: senders are told to come again, and nobody restarts a replica."""
    with Traffic(stand) as traffic:
        traffic.more(ENOUGH)
        took, code = stand.running["database"].stop()
        stand.start("database").wait_healthy()
        traffic.more(ENOUGH)
    assert code == 0, code
    _check_kept(stand, traffic)
    return f"stopped in {took:.1f} s; {traffic.in_words()}"


def certificates_rolled(stand: Stand) -> str:
    """New certificates for both doors and for the engine, each taken by making its containers again."""
    before = ssl.get_server_certificate((PUBLIC, 443)), Line(stand.engine_tls()).certificate
    stand.roll()
    with Traffic(stand) as traffic:
        stand.recreate("proxy")
        for name in REPLICAS:
            stand.recreate(name)
        traffic.more(ENOUGH)
    assert ssl.get_server_certificate((PUBLIC, 443)) != before[0]
    assert Line(stand.engine_tls()).certificate != before[1]
    _check_kept(stand, traffic)
    following = stand.authority.issue("engine.example.org").write(stand.folder, "engine-next")
    (stand.handed / "next.pem").write_bytes(following[0].read_bytes())
    stand.gateway("client", "certificate", "engine", "--add", "/handed/next.pem")
    old, stand.engine = stand.engine, following
    time.sleep(1.5)  # what another process changed is known within GATEWAY_REVOCATION_REFRESH_SECONDS, which is 1
    assert told(Line(stand.engine_tls()).ask(said("R1"))) == ("AA", "R1")
    stand.engine = old
    return traffic.in_words()


def mllp_proxy_renewed(stand: Stand) -> str:
    """The TCP proxy is stopped in time, open lines or not."""
    line = Line(stand.engine_tls())
    took, _ = stand.running["mllp"].stop()
    stand.start("mllp").wait_healthy()
    del line
    assert told(Line(stand.engine_tls()).ask(said("R2"))) == ("AA", "R2")
    grace = stand.running["mllp"].service.grace
    assert took < grace, f"killed after {took:.0f} s: its lines were still open"
    return f"stopped in {took:.1f} s at {MLLP}"


def restored(stand: Stand) -> str:
    """Database and keys are copied apart, everything is lost, and put back: all is there and the log verifies."""
    with Traffic(stand) as traffic:
        traffic.more(ENOUGH)
    database = stand.running["database"]
    dump = database.execute("pg_dump", "--username=postgres", "--format=custom", "gateway")
    volumes = stand.host.folder / "volumes"
    keys = stand.folder / "keys.tar"
    subprocess.run(["tar", "--create", "--file", keys, "--directory", volumes, "keys"], check=True)
    stand.down()
    for name in ("database", "keys"):
        (volumes / name).rename(stand.folder / f"lost-{name}")
    began = time.monotonic()
    subprocess.run(["tar", "--extract", "--file", keys, "--directory", volumes], check=True)
    stand.start("database").wait_healthy()
    database.execute("pg_restore", "--username=postgres", "--dbname=gateway", "--exit-on-error", given=dump)
    stand.up()
    took = time.monotonic() - began
    _check_kept(stand, traffic)
    return f"{len(dump) / 1e6:.1f} MB, back after {took:.0f} s"


def nothing_told(stand: Stand) -> str:
    """No log of any container holds anybody's data, a token or a password; no process shows one."""
    logs = {path.stem: path.read_text(errors="replace") for path in stand.host.folder.glob("*.log")}
    attributes = [one["attributes"] for one in household_incident(1000)["included"]]
    people = {one["surname"] for one in attributes if "surname" in one} | {"ARDEN", "Rosalind"}
    assert len(people) > 2
    for name, text in logs.items():
        for word in (*people, *stand.passwords, "eyJ", "Bearer", "__Host-", "code=a-code"):
            assert word not in text, f"{name} says {word[:4]}…"
    for name in REPLICAS:
        process = Path(f"/proc/{stand.running[name].pid}")
        shown = process.joinpath("environ").read_bytes() + process.joinpath("cmdline").read_bytes()
        assert not any(password.encode() in shown for password in stand.passwords)
        status = process.joinpath("status").read_text()
        assert "CapEff:\t0000000000000000" in status
        assert "CapBnd:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
        assert "Uid:\t10001" in status
    return f"{sum(map(len, logs.values())) / 1000:.0f} kB of {len(logs)} logs"


def _check_kept(stand: Stand, traffic: Traffic) -> None:
    """Every push that was accepted is known under the same reference; every message is answered as it was."""
    with stand.client("force-rms") as http:
        for serial, incident in traffic.accepted.items():
            answer = push(http.http, serial)
            assert answer.status_code == 200, answer.text[:200]
            assert (answer.json()["state"], answer.json()["incident"]) == ("known", incident)
    line = Line(stand.engine_tls())
    for named in traffic.messages:
        assert told(line.ask(said(named))) == ("AA", named)
