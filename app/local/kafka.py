"""Kafka in KRaft mode: every process is a broker and a controller, all on loopback."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from app.errors import StackError
from app.local.cluster import Cluster, Node
from app.local.java import runtime
from app.local.ports import HOST
from app.local.state import BROKER_PREFIX, Part

HEAP_MB_ALONE = 384
HEAP_MB_OF_THREE = 256
FORMAT_SECONDS = 60


class Listeners(NamedTuple):
    """Listeners and access rules besides the plain listener; the security tests use them."""

    properties: Mapping[str, object] = {}
    """Override properties of server.properties."""
    format_options: Sequence[str] = ()
    """Options of the storage tool; ``--add-scram …`` creates users."""


PLAIN = Listeners()


def parts(
    directory: Path, cluster: Cluster, jars: Sequence[Path], listeners: Listeners = PLAIN
) -> tuple[Part, ...]:
    """Configure the brokers, format new storage and return the parts to start."""
    return tuple(_part(directory, cluster, node, jars, listeners) for node in cluster.nodes)


def _part(directory: Path, cluster: Cluster, node: Node, jars: Sequence[Path], listeners: Listeners) -> Part:
    name = f"{BROKER_PREFIX}{node.id}"
    folder, log = directory / name, directory / "logs" / f"{name}.log"
    settings = runtime.prepare(folder, log, jars)
    properties = folder / "server.properties"
    described = {**broker_properties(cluster, node, folder / "data"), **listeners.properties}
    properties.write_text(_lines(described), encoding="utf-8")
    if not (folder / "data" / "meta.properties").exists():
        _format(settings, properties, cluster.id, listeners.format_options, log)
    heap_mb = HEAP_MB_ALONE if len(cluster.nodes) == 1 else HEAP_MB_OF_THREE
    command = runtime.command(settings, f"-Xmx{heap_mb}m", "kafka.Kafka", str(properties))
    return Part(name=name, port=node.port, log=log, command=command)


def broker_properties(cluster: Cluster, node: Node, data: Path) -> dict[str, object]:
    """Return the content of server.properties; other properties have Kafka's defaults."""
    replicas = len(cluster.nodes)
    in_sync = max(1, replicas - 1)
    voters = ",".join(f"{voter.id}@{HOST}:{voter.controller_port}" for voter in cluster.nodes)
    return {
        "process.roles": "broker,controller",
        "node.id": node.id,
        "controller.quorum.voters": voters,
        "listeners": f"PLAINTEXT://{HOST}:{node.port},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{node.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
    } | _internal_topics(replicas, in_sync)


def _internal_topics(replicas: int, in_sync: int) -> dict[str, object]:
    """Return the sizes of Kafka's internal topics: the defaults are three replicas, too many for one broker, and 50
    partitions.
    """
    partitions = 8
    return {
        "offsets.topic.num.partitions": partitions,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": partitions,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": partitions,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
    }


def _format(settings: Path, properties: Path, cluster_id: str, options: Sequence[str], log: Path) -> None:
    tool = ("-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format")
    command = runtime.command(
        settings, *tool, "--cluster-id", cluster_id, "--config", str(properties), *options
    )
    with log.open("ab") as output:
        try:
            subprocess.run(command, check=True, timeout=FORMAT_SECONDS, stdout=output, stderr=output)  # noqa: S603  # our own list of arguments
        except subprocess.SubprocessError as error:
            raise StackError(f"Kafka's storage could not be formatted ({error}). See {log}.") from error


def _lines(properties: Mapping[str, object]) -> str:
    return "".join(f"{name}={value}\n" for name, value in properties.items())
