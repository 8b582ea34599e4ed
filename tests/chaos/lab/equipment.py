"""What some faults need besides hosts: clocks, disks, bad links, and servers that workers ask."""

import subprocess
from enum import Enum
from pathlib import Path

from tests.chaos.lab import database
from tests.chaos.lab.brokers import LabCluster
from tests.chaos.lab.clocks import Clock
from tests.chaos.lab.database import Servers
from tests.chaos.lab.network import Host
from tests.chaos.lab.power import Disk
from tests.chaos.lab.services import redis_url, registry_url, start_redis, start_registry
from tests.support.bank import MAPPING
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
    DATABASE = "database"
    """Postgres and Kafka Connect."""


class Equipment:
    """The parts of one run."""

    def __init__(self, cluster: LabCluster, directory: Path) -> None:
        self._cluster = cluster
        self._network = cluster.network
        self._directory = directory
        self._servers: list[subprocess.Popen[bytes]] = []
        self._parts: frozenset[LabPart] = frozenset()
        self._database: Servers | None = None
        self.clocks: dict[str, Clock] = {}
        self.disks: dict[str, Disk] = {}
        """By the name of the worker."""

    @property
    def services(self) -> Host:
        """The host of Redis and the registry."""
        return self._network.host("services")

    @property
    def database(self) -> Servers:
        """Postgres and Kafka Connect."""
        assert self._database is not None
        return self._database

    def provide(self, parts: frozenset[LabPart]) -> None:
        """Give workers that are made later these parts."""
        self._parts = parts
        if LabPart.REDIS in parts:
            self._servers.append(start_redis(self.services, self._directory))
        if LabPart.REGISTRY in parts:
            self._servers.append(start_registry(self.services, self._directory))
        if LabPart.DATABASE in parts:
            hosts = (self._network.host("database"), self._network.host("connect"))
            self._database = database.start(
                *hosts, self._cluster.servers, self._cluster.nodes, self._directory
            )
            self._servers.extend(self._database.processes)

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
        if LabPart.DATABASE in self._parts:
            found["FRAUDSTREAM_CDC_MAPPING"] = str(MAPPING)
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
