"""The isolation level of every reader: committed records only, unless a setting says otherwise."""

from typing import Any, Literal

from app.adapters.kafka.security import Cluster, client_options

IsolationLevel = Literal["read_committed", "read_uncommitted"]
READ_UNCOMMITTED, READ_COMMITTED = 0, 1
"""The levels in Kafka's requests."""


def isolation_level(cluster: Cluster) -> IsolationLevel:
    """The level by its name; committed records for the address of brokers without settings."""
    return "read_committed" if isinstance(cluster, str) else cluster.isolation


def isolation_code(cluster: Cluster) -> int:
    """The level as requests contain it."""
    return READ_COMMITTED if isolation_level(cluster) == "read_committed" else READ_UNCOMMITTED


def consumer_options(cluster: Cluster) -> dict[str, Any]:
    """Arguments of every consumer. With committed records, its end offsets are last stable offsets: the first offset of
    the oldest open transaction, or the end of the log.

    Raises ConfigurationError as ``client_options`` does.
    """
    return {**client_options(cluster), "isolation_level": isolation_level(cluster)}
