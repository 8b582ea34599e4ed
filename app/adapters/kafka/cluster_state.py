"""What a Kafka cluster looked like at one moment, as plain data."""

import msgspec


class LogDir(msgspec.Struct, frozen=True, kw_only=True):
    """One directory of a broker's log, on a disk that others may fill as well."""

    path: str
    total_bytes: int
    """Of the disk; -1 when the broker cannot tell."""
    usable_bytes: int
    log_bytes: int
    """Of all partitions that lie there."""
    error: str = ""
    """Of a directory that the broker has given up."""


class BrokerState(msgspec.Struct, frozen=True, kw_only=True):
    """A broker that answered."""

    node: int
    host: str
    port: int
    log_dirs: tuple[LogDir, ...]


class TopicState(msgspec.Struct, frozen=True, kw_only=True):
    """A topic with those of its partitions that something is wrong with."""

    name: str
    partitions: int
    under_replicated: tuple[int, ...]
    """A copy is missing or behind."""
    offline: tuple[int, ...]
    """Nobody leads: neither read nor written."""


class PartitionLag(msgspec.Struct, frozen=True, kw_only=True):
    """How far a group is behind in one partition."""

    topic: str
    partition: int
    committed: int
    end: int
    records: int
    """Not committed: ``end`` less ``committed``."""
    seconds: float | None
    """Since the timestamp of the oldest record that is not committed; 0 when there is none, None when unknown."""


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer group."""

    name: str
    state: str
    """As Kafka says it: Stable, PreparingRebalance, Empty, …"""
    members: int
    partitions: tuple[PartitionLag, ...]

    @property
    def lag_records(self) -> int:
        return sum(partition.records for partition in self.partitions)

    @property
    def lag_seconds(self) -> float:
        """Of the partition that is furthest behind."""
        return max((partition.seconds or 0.0 for partition in self.partitions), default=0.0)


class Controller(msgspec.Struct, frozen=True, kw_only=True):
    """The node that leads the quorum."""

    node: int
    voters: tuple[int, ...]
    behind: tuple[int, ...]
    """Voters that have not caught up for a while: down, or cut off."""
    clock_ms: int
    """Its own clock, when it answered."""


class ClusterState(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    seen_at_ms: int
    cluster_id: str
    controller: Controller | None
    """None when no node leads the quorum: topics and leaders cannot change."""
    brokers: tuple[BrokerState, ...]
    topics: tuple[TopicState, ...]
    groups: tuple[GroupState, ...]
