"""`python -m tests.deployment`: starts what docker/ describes, without Docker, uses it, and breaks it.

    --image DIR    keep the built image there and use it again; a directory in memory (tmpfs)
    --only WORD    only trials whose name has the word in it

The Dockerfile's own lines are carried out, and the compose files are read as `docker compose` reads them; each service
runs in namespaces of its own on a network of its own, under the Caddyfile, haproxy.cfg, entrypoint and create-database
as they are. Needs root, overlayfs, PostgreSQL 15, Caddy, HAProxy, Python 3.11 in /usr/bin, and pip's index.

Exit codes: 0 everything held; 1 something did not; 2 something is not installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - layers of an overlay may not lie in the file system they are laid over
PROJECT = Path(__file__).resolve().parents[2]
APART = (
    "setpriv",
    "--pdeathsig=KILL",
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)


def main() -> int:
    """Build the image; then, in namespaces of its own that end with it, everything else."""
    parser = argparse.ArgumentParser(prog="python -m tests.deployment", description=__doc__.partition("\n")[0])
    parser.add_argument("--image", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if lacking := missing():
        print("\n".join(f"missing: {one}" for one in lacking))
        return 2
    from tests.deployment.image import built, megabytes  # noqa: PLC0415 - only where it can be used

    if asked.inside is not None:
        return inside(asked.inside, asked.image, asked.only)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="provide-deployment-", dir=MEMORY))
    try:
        kept = asked.image or folder / "image"
        kept.mkdir(parents=True, exist_ok=True)
        image = built(PROJECT, kept)
        print(f"the image adds {megabytes(image):.0f} MB to its base", flush=True)
        again = [sys.executable, "-m", "tests.deployment", "--inside", str(folder), "--image", str(kept)]
        return subprocess.run([*APART, *again, "--only", asked.only], check=False).returncode
    finally:
        shutil.rmtree(folder)


def missing() -> list[str]:
    """What it needs and is not there."""
    programs = ("caddy", "haproxy", "ip", "unshare", "nsenter", "setpriv", "chroot", "nc", "wget")
    found = [one for one in programs if shutil.which(one) is None]
    needed = ("/usr/lib/postgresql/15/bin/postgres", "/usr/bin/python3.11", str(MEMORY))
    found += [path for path in needed if not Path(path).exists()]
    return [*found, "root"] if os.geteuid() != 0 else found


def inside(folder: Path, kept: Path, only: str) -> int:
    """Start everything, try it, and print what came of it."""
    from tests.deployment import trials  # noqa: PLC0415 - only where it can be used
    from tests.deployment.image import built  # noqa: PLC0415
    from tests.deployment.stand import Stand  # noqa: PLC0415

    hosts = folder / "outside-hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    stand = Stand(folder, built(PROJECT, kept))
    os.environ["SSL_CERT_FILE"] = str(stand.ca)
    return trials.run(stand, only)


if __name__ == "__main__":
    sys.exit(main())
