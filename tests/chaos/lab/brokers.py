"""Three brokers, each on a host of its own, at addresses that every host reaches."""

import asyncio
import subprocess
from pathlib import Path

from app.local import cluster as local_cluster
from app.local import kafka
from app.local.cluster import Node
from app.local.java import jars
from app.local.kafka import Listeners
from app.local.processes import end, identify
from app.local.readiness import READY_SECONDS, _broker_answers
from app.local.state import Part
from tests.chaos.cluster import BROKERS, Cluster
from tests.chaos.lab.network import Host, Network

PORT, CONTROLLER_PORT = 9092, 9093
NODES = tuple(range(1, BROKERS + 1))
POLL_SECONDS = 0.2
END_SECONDS = 10.0


class LabCluster(Cluster):
    """Brokers on hosts of a lab."""

    def __init__(self, directory: Path, network: Network) -> None:
        self._paused: set[int] = set()
        self.network = network
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.hosts = {node: network.host(f"broker-{node}") for node in NODES}
        self._described = _parts(directory, self.hosts)
        for node in NODES:
            self._begin(node)
        asyncio.run(self._ready())

    @property
    def servers(self) -> str:
        return ",".join(f"{host.address}:{PORT}" for host in self.hosts.values())

    @property
    def nodes(self) -> tuple[int, ...]:
        return NODES

    async def start(self, node: int) -> None:
        self._processes[node].wait()
        self._begin(node)
        await self._ready()

    async def whole(self) -> None:
        """Return when every broker runs and answers."""
        await super().whole()
        await self._ready()

    def stop(self) -> None:
        for node in tuple(self._paused):
            self.resume(node)
        started = (self._part(node).process for node in NODES)
        end([process for process in started if process is not None], END_SECONDS)

    def _begin(self, node: int) -> None:
        part = self._described[node]
        with part.log.open("ab") as log:
            command = self.hosts[node].command(*part.command)
            self._processes[node] = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # our own list

    async def _ready(self) -> None:
        async with asyncio.timeout(READY_SECONDS):
            for host in self.hosts.values():
                while not await _broker_answers(f"{host.address}:{PORT}", BROKERS):  # noqa: ASYNC110  # another process
                    await asyncio.sleep(POLL_SECONDS)

    def _part(self, node: int) -> Part:
        part = self._described[node]
        process = identify(self._processes[node].pid)
        return Part(name=part.name, port=PORT, log=part.log, command=part.command, process=process)


def _parts(directory: Path, hosts: dict[int, Host]) -> dict[int, Part]:
    """Configure and format each broker's storage."""
    (directory / "logs").mkdir(parents=True)
    described = local_cluster.Cluster(
        local_cluster._new(BROKERS).id, tuple(Node(node, PORT, CONTROLLER_PORT) for node in hosts)
    )
    class_path = jars.ensure(jars.cache_directory())
    voters = ",".join(f"{node}@{host.address}:{CONTROLLER_PORT}" for node, host in hosts.items())
    found = {}
    for node in described.nodes:
        address = hosts[node.id].address
        listeners = {
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://{address}:{PORT},CONTROLLER://{address}:{CONTROLLER_PORT}",
            "advertised.listeners": f"PLAINTEXT://{address}:{PORT}",
            "log.cleaner.backoff.ms": 1000,  # milliseconds between two looks for something to compact
        }
        found[node.id] = kafka._part(directory, described, node, class_path, Listeners(listeners))
    return found
