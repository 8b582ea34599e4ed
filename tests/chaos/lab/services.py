"""Redis and the schema registry, on a host of their own."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from app.local import redis_server, registry_server
from app.local.cluster import Cluster
from app.local.ports import HOST
from tests.chaos.lab.network import Host

REDIS_PORT, REGISTRY_PORT = 6379, 8081
START_SECONDS = 120.0
"""Kafka Connect is the slowest."""
POLL_SECONDS = 0.2


def redis_url(host: Host) -> str:
    """Return the URL for the workers."""
    return f"redis://{host.address}:{REDIS_PORT}/0"


def registry_url(host: Host) -> str:
    """Return the URL for the workers."""
    return registry_server.url(REGISTRY_PORT).replace(HOST, host.address)


def start_redis(host: Host, directory: Path) -> subprocess.Popen[bytes]:
    """Start Redis."""
    command = redis_server.command(directory, REDIS_PORT)
    return _start(host, directory / "redis.log", *command, "--bind", host.address, "--protected-mode", "no")


def start_registry(host: Host, directory: Path) -> subprocess.Popen[bytes]:
    """Start the registry; return when it answers."""
    described = Cluster("", (), extra_ports={registry_server.NAME: REGISTRY_PORT})
    command = registry_server.part(directory, described).command
    process = _start(
        host, directory / "registry.log", *(word.replace(HOST, host.address) for word in command)
    )
    wait_until_answering(lambda: registry_server.answers(registry_url(host)), "the registry")
    return process


def wait_until_answering(answers: Callable[[], bool], server: str) -> None:
    """Return when a server answers. Servers do not report it, so they are asked."""
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        assert time.monotonic() < deadline, f"no answer from {server}"
        time.sleep(POLL_SECONDS)


def _start(host: Host, log: Path, *command: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(host.command(*command), stdout=output, stderr=output)  # noqa: S603  # our own list
