"""``cluster.json``: identity and ports of a cluster, kept between `down` and `up` so that its data stays usable."""

import secrets
from collections.abc import Iterable
from pathlib import Path

import msgspec

from app.adapters.disk import durable_file
from app.errors import ConfigurationError, StackError
from app.local import ports
from app.local.state import BROKER_PREFIX

FILE = "cluster.json"
BROKER_COUNTS = (1, 3)


class Node(msgspec.Struct, frozen=True):
    """A Kafka process: broker and controller in one."""

    id: int
    port: int = 0
    controller_port: int = 0


class Cluster(msgspec.Struct, frozen=True):
    """Identity and addresses of a stack's servers."""

    id: str
    nodes: tuple[Node, ...]
    redis_port: int = 0
    extra_ports: dict[str, int] = {}
    """Ports of the parts that `--with` has named, now or earlier, by name."""

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"{ports.HOST}:{node.port}" for node in self.nodes)


def plan(directory: Path, brokers: int | None, port: int | None, also: Iterable[str] = ()) -> Cluster:
    """Return the cluster of the directory, or a new one, with ports that are free now, and save it."""
    known = _load(directory)
    if known and brokers not in {None, len(known.nodes)}:
        raise ConfigurationError(
            f"{directory} holds the data of {len(known.nodes)} broker(s). Leave out --brokers {brokers}, "
            "name another --dir, or delete the folder."
        )
    planned = _with_ports(known or _new(brokers or 1), port, also)
    durable_file.replace(directory / FILE, msgspec.json.format(msgspec.json.encode(planned), indent=2))
    return planned


def _new(brokers: int) -> Cluster:
    if brokers not in BROKER_COUNTS:
        raise ConfigurationError(f"--brokers {brokers}: choose {' or '.join(map(str, BROKER_COUNTS))}.")
    # Kafka's ids are 16 bytes in URL-safe base64. A leading dash would be taken for an option.
    identity = "f" + secrets.token_urlsafe(16)[1:]
    return Cluster(identity, tuple(Node(number) for number in range(1, brokers + 1)))


def _with_ports(cluster: Cluster, port: int | None, also: Iterable[str]) -> Cluster:
    fixed = {1: ports.demand(port)} if port else {}
    nodes = tuple(
        Node(
            node.id,
            fixed.get(node.id) or ports.keep_or_choose(node.port),
            ports.keep_or_choose(node.controller_port),
        )
        for node in cluster.nodes
    )
    extra = {name: ports.keep_or_choose(cluster.extra_ports.get(name, 0)) for name in also}
    return msgspec.structs.replace(
        cluster,
        nodes=nodes,
        redis_port=ports.keep_or_choose(cluster.redis_port),
        extra_ports={**cluster.extra_ports, **extra},
    )


def _load(directory: Path) -> Cluster | None:
    file = directory / FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=Cluster)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        return _of_brokers(directory)


def _of_brokers(directory: Path) -> Cluster | None:
    """The cluster whose data the brokers' folders hold, each with its id; None when no broker was ever started.

    Only the ports are lost with the file: new ones are chosen.
    """
    found = sorted(directory.glob(f"{BROKER_PREFIX}*/data/meta.properties"))
    lines = [line.partition("=") for path in found for line in path.read_text("utf-8").splitlines()]
    ids = {value for name, _, value in lines if name == "cluster.id"}
    nodes = tuple(Node(int(value)) for name, _, value in lines if name == "node.id")
    if not found:
        return None
    if len(ids) != 1 or len(nodes) not in BROKER_COUNTS:
        raise StackError(
            f"{directory / FILE} cannot be read, and the folders of the brokers in {directory} do not tell the cluster. "
            "Give another --dir; the data here stays as it is."
        )
    return Cluster(ids.pop(), nodes)
