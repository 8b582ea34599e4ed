"""Redis on a host of its own."""

import subprocess
from pathlib import Path

from app.local import redis_server
from tests.chaos.lab.network import Host

REDIS_PORT = 6379


def start_redis(host: Host, directory: Path) -> subprocess.Popen[bytes]:
    """Start Redis."""
    (directory / "logs").mkdir(exist_ok=True)
    part = redis_server.part(directory, REDIS_PORT)
    words = ("--bind", host.address, "--protected-mode", "no")
    with part.log.open("ab") as log:
        return subprocess.Popen(host.command(*part.command, *words), stdout=log, stderr=log)  # noqa: S603  # our own list


def redis_url(host: Host) -> str:
    """Return the URL for the workers."""
    return f"redis://{host.address}:{REDIS_PORT}/0"
