"""Builds docker/Dockerfile without Docker: its own lines, carried out one by one over this machine's Debian.

A stage is a directory that lies as an overlay over the machine's root, in place of the base image's; a RUN is carried
out in it by chroot. So what is tried is whether each line works and copies what is there, and not the base image.
The other images are this machine's packages, told what Docker Hub's images say of themselves.
Source: Dockerfile reference; the images postgres, haproxy and caddy as Docker Hub describes them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """What a container is made of. `layers` lie over the machine's root, the uppermost first; `user` is a number."""

    layers: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": PATH})
    user: str = "0:0"
    folder: str = "/"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"


CADDY = Image(
    environment={"PATH": PATH, "XDG_CONFIG_HOME": "/config", "XDG_DATA_HOME": "/data"},
    command=("caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"),
)
HAPROXY = Image(
    user="99:99",
    command=("haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"),
    stop_signal="SIGUSR1",
)
POSTGRES = Image(
    environment={"PATH": f"{PATH}:/usr/lib/postgresql/15/bin", "PGDATA": "/var/lib/postgresql/data", "LANG": "C.UTF-8"},
    entrypoint=("sh", "-c", Path(__file__).with_name("postgres.sh").read_text(), "postgres.sh"),
    command=("postgres",),
    stop_signal="SIGINT",
)


def built(project: Path, folder: Path) -> Image:  # noqa: C901 - a case for each instruction
    """The image of the project's Dockerfile, built into a folder, or as it was built there before.

    Raises CalledProcessError where a line does not work, FileNotFoundError where it copies what is not there.
    """
    done = folder / "done"
    fresh = not done.exists()
    stages: dict[str, Path] = {}
    base = _base(folder)
    image, stage = Image(), folder
    context = _context(project)
    for word, rest in _lines((project / "docker" / "Dockerfile").read_text()):
        match word:
            case "FROM":
                _, _, name = rest.partition(" AS ")
                stage = folder / (name or "last")
                stages[name] = stage
                stage.mkdir(parents=True, exist_ok=True)
                image = Image(layers=(stage, base))
            case "ENV":
                pairs = (pair.partition("=") for pair in shlex.split(rest))
                told = {name: value.replace("$PATH", PATH) for name, _, value in pairs}
                image = replace(image, environment={**image.environment, **told})
            case "WORKDIR":
                image = replace(image, folder=rest)
                (stage / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "RUN" if fresh:
                _run(image, folder, rest)
            case "COPY" if fresh:
                _copy(rest, image, stage, stages, context)
            case "USER":
                image = replace(image, user=rest)
            case "HEALTHCHECK":
                image = replace(image, test=("CMD", *json.loads(rest.partition(" CMD ")[2])))
            case "ENTRYPOINT":
                image = replace(image, entrypoint=tuple(json.loads(rest)))
            case "CMD":
                image = replace(image, command=tuple(json.loads(rest)))
            case "RUN" | "COPY" | "EXPOSE":
                pass
            case _:
                raise ValueError(f"{word} is not tried here")
    done.touch()
    return image


def megabytes(image: Image) -> float:
    """What the image adds to its base."""
    files = (path for path in image.layers[0].rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1_000_000


def _lines(text: str) -> Iterator[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    for line in filter(None, joined.splitlines()):
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


def _base(folder: Path) -> Path:
    """What python:3.11-slim has and Debian has not: the interpreter by the name `python`."""
    link = folder / "base" / "usr/local/bin/python"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to("/usr/bin/python3.11")
    return folder / "base"


def _context(project: Path) -> Mapping[str, Path]:
    """What the build may copy, by name."""
    lines = (project / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    return {line[1:]: project / line[1:] for line in lines if line.startswith("!")}


def _run(image: Image, folder: Path, command: str) -> None:
    """Carry out a RUN in the stage."""
    merged, work = folder / "merged", folder / "work"
    for path in (merged, work):
        path.mkdir(exist_ok=True)
    stage, base = image.layers
    mount = f"mount -t overlay overlay -o lowerdir={base}:/,upperdir={stage},workdir={work} {merged}"
    inside = f"mount --bind /dev {merged}/dev && mount -t proc proc {merged}/proc"
    run = f"exec chroot {merged} sh -c {shlex.quote(f'cd {image.folder} && {command}')}"
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTPS_"))}
    subprocess.run(
        ["unshare", "--mount", "sh", "-ec", f"{mount} && {inside} && {run}"],
        env={**pip, **image.environment},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _copy(rest: str, image: Image, stage: Path, stages: Mapping[str, Path], context: Mapping[str, Path]) -> None:
    """Carry out a COPY: of another stage's directory, or of what the build may see."""
    options = [word for word in rest.split() if word.startswith("--")]
    *sources, target = [word for word in rest.split() if not word.startswith("--")]
    told = dict(option[2:].split("=") for option in options)
    into = stage / image.folder.lstrip("/") / target if not target.startswith("/") else stage / target.lstrip("/")
    for source in sources:
        path = stages[told["from"]] / source.lstrip("/") if "from" in told else context.get(source)
        if path is None or not path.exists():
            raise FileNotFoundError(f"COPY {source}: nothing there is kept for the build")
        to = into / path.name if target.endswith("/") else into
        to.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            left = shutil.ignore_patterns(*(() if "from" in told else ("__pycache__",)))
            shutil.copytree(path, to, symlinks=True, dirs_exist_ok=True, ignore=left)
        else:
            shutil.copy2(path, to)
        if "chmod" in told:
            to.chmod(int(told["chmod"], 8))
