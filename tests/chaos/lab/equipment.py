"""What some faults need besides hosts: clocks, disks, bad links, and servers that workers ask."""

import subprocess
from enum import Enum
from pathlib import Path

from tests.chaos.lab.clocks import Clock
from tests.chaos.lab.network import Host, Network
from tests.chaos.lab.power import Disk
from tests.chaos.lab.services import redis_url, registry_url, start_redis, start_registry
from tests.support.workers import Worker


class LabPart(Enum):
    """A part that a fault needs."""

    RELAYS = "relays"
    """Links whose quality changes."""
    CLOCKS = "clocks"
    DISKS = "disks"
    """Disks that lose power."""
    REDIS = "redis"
    REGISTRY = "registry"
    """The registry, and records that name a schema which it does not have."""


class Equipment:
    """The parts of one run."""

    def __init__(self, network: Network, directory: Path) -> None:
        self._network = network
        self._directory = directory
        self._servers: list[subprocess.Popen[bytes]] = []
        self._parts: frozenset[LabPart] = frozenset()
        self.clocks: dict[str, Clock] = {}
        self.disks: dict[str, Disk] = {}
        """By the name of the worker."""

    @property
    def services(self) -> Host:
        """The host of Redis and the registry."""
        return self._network.host("services")

    def provide(self, parts: frozenset[LabPart]) -> None:
        """Give workers that are made later these parts."""
        self._parts = parts
        if LabPart.REDIS in parts:
            self._servers.append(start_redis(self.services, self._directory))
        if LabPart.REGISTRY in parts:
            self._servers.append(start_registry(self.services, self._directory))

    def environment(self, name: str) -> dict[str, str]:
        """Return what a worker's environment names of its parts."""
        found: dict[str, str] = {}
        if LabPart.CLOCKS in self._parts:
            self.clocks[name] = Clock(self._directory / f"{name}.clock")
            found |= self.clocks[name].environment()
        if LabPart.REDIS in self._parts:
            found["FRAUDSTREAM_REDIS_URL"] = redis_url(self.services)
        if LabPart.REGISTRY in self._parts:
            found["FRAUDSTREAM_REGISTRY_URL"] = registry_url(self.services)
        return found

    def install(self, worker: Worker) -> None:
        """Put a worker on its host, on its disk."""
        if LabPart.DISKS in self._parts:
            self.disks[worker.name] = Disk(worker.data_dir)
        host = self._network.host(worker.name, relayed=LabPart.RELAYS in self._parts)
        worker.prefix = host.command()

    def close(self) -> None:
        """End the servers and unmount the disks; workers must have ended."""
        for server in self._servers:
            server.kill()
            server.wait()
        for disk in self.disks.values():
            disk.close()
