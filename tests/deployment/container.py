"""One service in namespaces of its own, as Docker would run it: root from its image, network, processes, powers.

What the compose file says of it holds: a root that cannot be written, what is mounted where, which capabilities are
left, that no privilege is gained, and who it runs as. It is process 1 of its own, so that a signal it does not handle
is not heard. Left out: limits of memory, seccomp and AppArmor profiles, and ports published at the host.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.deployment import names
from tests.deployment.composed import Composed, Service
from tests.deployment.image import PATH, Image

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
MASKED = ("/root", "/home", "/work", "/mnt", "/srv", "/run", "/tmp")  # noqa: S108 - of the machine, not of an image
HEALTHY_SECONDS = 90


class NotWell(Exception):
    """A container ended, or did not become healthy; the message holds its last words."""


@dataclass
class Host:
    """The machine the containers run on: its networks, volumes and names, all of them gone with this process."""

    folder: Path
    composed: Composed
    images: Mapping[str, Image]
    _next: int = 10

    def __post_init__(self) -> None:
        """Make the networks: a bridge each, with this process at `.1`."""
        for part in ("volumes", "containers"):
            (self.folder / part).mkdir(parents=True)
        self.folder.chmod(0o755)
        self.known.write_text("")
        (self.folder / "hosts").write_text("127.0.0.1 localhost\n")
        (self.folder / "resolv.conf").write_text(f"nameserver {names.ADDRESS[0]}\n")
        _do("mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && ip link set lo up")
        for number, name in enumerate(self.composed.networks):
            _do(f"ip link add br-{name} type bridge && ip link set br-{name} up")
            _do(f"ip address add 10.89.{number}.1/24 dev br-{name}")

    @property
    def known(self) -> Path:
        """The file of names."""
        return self.folder / "names"

    def container(self, service: str, *words: str, name: str = "") -> Container:
        """A container of a service, not yet started; with words, they are its command, as of `compose run`."""
        return Container(self, self.composed.services[service], name or service, words)

    def addresses(self, networks: Sequence[str]) -> dict[str, str]:
        """Fresh addresses: a container that is made again has another."""
        self._next += 1
        return {name: f"10.89.{self.composed.networks.index(name)}.{self._next}" for name in networks}

    def rename(self, name: str, address: str | None) -> None:
        """Have a name lead to an address, or nowhere."""
        lines = [line for line in self.known.read_text().splitlines() if line.split()[1] != name]
        fresh = self.known.with_suffix(".next")
        fresh.write_text("".join(f"{line}\n" for line in [*lines, *([f"{address} {name}"] if address else [])]))
        fresh.replace(self.known)


@dataclass
class Container:
    """One container; `start` again makes it anew, with its volumes and nothing else kept."""

    host: Host
    service: Service
    name: str
    words: tuple[str, ...] = ()
    binds: Mapping[Path, str] = field(default_factory=dict)
    address: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _names: subprocess.Popen[bytes] | None = None
    _starts: int = 0

    @property
    def image(self) -> Image:
        """What it is made of."""
        return self.host.images[self.service.image]

    @property
    def said(self) -> Path:
        """Everything it wrote, over all starts."""
        return self.host.folder / f"{self.name}.log"

    @property
    def last_words(self) -> str:
        """The end of it."""
        return self.said.read_text(errors="replace")[-1500:] if self.said.exists() else ""

    def start(self) -> None:
        """Start."""
        self._starts += 1
        self._connect()
        folder = self.host.folder / "containers" / f"{self.name}-{self._starts}"
        script = "\n".join(self._root(folder))
        environment = {**self.image.environment, **self.service.environment}
        with self.said.open("ab") as log:
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", self._space, *_APART, "sh", "-ec", script],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_healthy(self) -> None:
        """Return when its check passes. Raises NotWell."""
        until = time.monotonic() + HEALTHY_SECONDS
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                raise NotWell(f"{self.name} ended: {self.last_words}")
            if self.healthy():
                return
            time.sleep(0.2)  # the check itself takes longer
        raise NotWell(f"{self.name} did not become healthy: {self.last_words}")

    def healthy(self) -> bool:
        """Whether the check of the compose file, or of the image, passes just now."""
        how, *words = self.service.test or self.image.test
        assert how == "CMD"
        with suppress(FileNotFoundError, IndexError, subprocess.CalledProcessError):
            self.execute(*words)
            return True
        return False

    def execute(self, *words: str, given: bytes = b"") -> bytes:
        """`compose exec`: a command in the container, with what it may do; what it says. Raises CalledProcessError."""
        inside = ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--root", "--wd"]
        environment = {**self.image.environment, **self.service.environment}
        command = [*inside, *self._powers(), *words]
        return subprocess.run(command, env=environment, input=given, capture_output=True, check=True).stdout

    @property
    def pid(self) -> int:
        """Of its process 1, as this machine counts. Raises FileNotFoundError or IndexError where it has ended."""
        outside = self._process.pid if self._process else 0
        return int(Path(f"/proc/{outside}/task/{outside}/children").read_text().split()[0])

    def send(self, number: signal.Signals) -> None:
        """Signal its process 1."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send(signal.SIGKILL)
        self.wait()

    def stop(self) -> tuple[float, int]:
        """Stop as `compose stop` does: the signal, the grace, SIGKILL. Returns the seconds, and what it ended with."""
        began = time.monotonic()
        with suppress(FileNotFoundError, IndexError):
            self.send(signal.Signals[self.service.stop_signal or self.image.stop_signal])
        try:
            code = self._waited(self.service.grace)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            code = self._waited(self.service.grace)
        took = time.monotonic() - began
        self._disconnect()
        return took, code

    def wait(self, seconds: float = 120) -> int:
        """What it ended with."""
        try:
            return self._waited(seconds)
        finally:
            self._disconnect()

    def _waited(self, seconds: float) -> int:
        return self._process.wait(seconds) if self._process else 0

    @property
    def _space(self) -> str:
        return f"{self.name}-{self._starts}"

    def _connect(self) -> None:
        """A network namespace with an end in each network, and somebody in it who knows the names."""
        if not (self.address and self.service.ports):  # a port at the host stays where it is
            self.address = self.host.addresses(self.service.networks)
        space = self._space
        _do(f"ip netns add {space} && ip -n {space} link set lo up")
        for number, (network, address) in enumerate(self.address.items()):
            outside, inside = f"v{address.replace('.', '')[4:]}", f"eth{number}"
            _do(f"ip link add {outside} type veth peer name {inside} netns {space}")
            _do(f"ip link set {outside} master br-{network} up")
            _do(f"ip -n {space} address add {address}/24 dev {inside} && ip -n {space} link set {inside} up")
        # Docker lets whoever runs in a container open any port.
        _do(f"ip netns exec {space} sysctl -qw net.ipv4.ip_unprivileged_port_start=0")
        command = ["ip", "netns", "exec", space, sys.executable, names.__file__, str(self.host.known)]
        self._names = subprocess.Popen(command)
        if not self.words and self.address:
            self.host.rename(self.name, next(iter(self.address.values())))

    def _disconnect(self) -> None:
        if self._names is not None:
            self._names.kill()
            self._names.wait()
            self._names = None
            _do(f"ip netns delete {self._space}")
        if not self.words:
            self.host.rename(self.name, None)

    def _root(self, folder: Path) -> Iterator[str]:
        """A script that makes the root, gives up what the service is not to have, and becomes it."""
        root, mounts = folder / "root", dict(self._mounts())
        for path in (root, folder / "upper", folder / "work"):
            path.mkdir(parents=True)
        points = self._points(folder / "points", mounts)
        lower = ":".join(str(layer) for layer in (points, *self.image.layers, "/"))
        writable = "" if self.service.read_only else f",upperdir={folder}/upper,workdir={folder}/work"
        yield f"mount -t overlay overlay -o lowerdir={lower}{writable} {root}"
        yield f"mount -t proc proc {root}/proc"
        dev = f"{root}/dev"
        yield f"mount -t tmpfs -o mode=755 tmpfs {dev} && mkdir {dev}/shm && ln -s /proc/self/fd {dev}/fd"
        for device in DEVICES:
            yield f"touch {dev}/{device} && mount --bind /dev/{device} {dev}/{device}"
        memory = {"/dev/shm": "mode=1777", **dict.fromkeys(MASKED, "mode=755"), **self._memory()}  # noqa: S108
        for target, options in memory.items():
            yield f"mount -t tmpfs -o nosuid,nodev,noexec,{options} tmpfs {root}{target}"
        for target, (source, mode) in mounts.items():
            if target.startswith(MASKED):
                make = "touch" if source.is_file() else "mkdir -p"
                yield f"mkdir -p $(dirname {root}{target}) && {make} {root}{target}"
            yield f"mount --bind {shlex.quote(str(source))} {root}{target}"
            if mode == "ro":
                yield f"mount -o remount,bind,ro {root}{target}"
        if self.service.read_only:
            yield from (f"mount -o remount,ro {root}{one}" for one in MASKED if one not in self._memory())
        words = self.image.entrypoint + (self.words or self.service.command or self.image.command)
        yield f"exec chroot {root} {shlex.join([*self._powers(), 'env', '-C', self.image.folder, *words])}"

    def _memory(self) -> dict[str, str]:
        """What the service has in memory, and how."""
        parts = (one.partition(":") for one in self.service.tmpfs)
        return {target: options or "mode=755" for target, _, options in parts}

    def _points(self, points: Path, mounts: Mapping[str, tuple[Path, str]]) -> Path:
        """A layer with a place for everything that is mounted, as Docker makes one."""
        for target in (*MASKED, *self._memory(), *mounts):
            point = points / target.lstrip("/")
            point.parent.mkdir(parents=True, exist_ok=True)
            if target in mounts and mounts[target][0].is_file():
                point.touch()
            else:
                point.mkdir(exist_ok=True)
        return points

    def _mounts(self) -> Iterator[tuple[str, tuple[Path, str]]]:
        """What is mounted where, as (target, (source, mode))."""
        yield "/etc/hosts", (self.host.folder / "hosts", "ro")
        yield "/etc/resolv.conf", (self.host.folder / "resolv.conf", "ro")
        for secret in self.service.secrets:
            yield f"/run/secrets/{secret}", (self.host.composed.secrets[secret], "ro")
        for volume in self.service.volumes:
            source, target, *mode = volume.split(":")
            path = DOCKER / source if source.startswith(".") else self._volume(source, target)
            yield target, (path, "".join(mode))
        for bound, target in self.binds.items():
            yield target, (bound, "ro")

    def _volume(self, name: str, target: str) -> Path:
        """A named volume: when it is new, whose it is and who may enter are what the image says of its place."""
        path = self.host.folder / "volumes" / name
        if not path.exists():
            path.mkdir()
            for layer in self.image.layers:
                if (like := layer / target.lstrip("/")).exists():
                    path.chmod(like.stat().st_mode & 0o7777)
                    os.chown(path, like.stat().st_uid, like.stat().st_gid)
        return path

    def _powers(self) -> list[str]:
        """The words that give up what the service is not to have."""
        user, _, group = self.image.user.partition(":")
        who = [f"--reuid={user}", f"--regid={group}", "--clear-groups"] if user != "0" else []
        kept = ",".join(["-all", *(f"+{name.lower()}" for name in self.service.added)])
        less = [f"--bounding-set={kept}", "--inh-caps=-all"] if self.service.dropped else []
        never = ["--no-new-privs"] if self.service.no_new_privileges else []
        return ["setpriv", *who, *less, *never] if [*who, *less, *never] else []


DOCKER = Path(__file__).resolve().parents[2] / "docker"
_APART = ("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child")
_HOST_ENVIRONMENT = {"PATH": PATH}


def _do(command: str) -> None:
    subprocess.run(["sh", "-ec", command], env=_HOST_ENVIRONMENT, check=True)
