"""The state of a Kafka cluster at one moment, as plain data."""

from collections import Counter

import msgspec


class LogDir(msgspec.Struct, frozen=True, kw_only=True):
    """A log directory of a broker. Its disk may hold other data as well."""

    path: str
    total_bytes: int
    """Size of the disk; -1 when the broker does not report it."""
    usable_bytes: int
    log_bytes: int
    """Size of all partitions in the directory."""
    error: str = ""
    """Name of the error that made the broker take the directory offline; empty when there is none."""


class BrokerState(msgspec.Struct, frozen=True, kw_only=True):
    """A broker that answered."""

    node: int
    host: str
    port: int
    log_dirs: tuple[LogDir, ...]


class TopicState(msgspec.Struct, frozen=True, kw_only=True):
    """A topic with the numbers of its unhealthy partitions."""

    name: str
    partitions: int
    under_replicated: tuple[int, ...]
    """Partitions with a replica that is missing or behind."""
    offline: tuple[int, ...]
    """Partitions without a leader, which can be neither read nor written."""


class PartitionLag(msgspec.Struct, frozen=True, kw_only=True):
    """The lag of a consumer group in one partition."""

    topic: str
    partition: int
    committed: int
    end: int
    """The last stable offset if only committed records are read, else the high watermark."""
    records: int
    """Uncommitted records. Transaction markers are counted only behind a large number of records, lost records never."""
    seconds: float | None
    """Age of the oldest uncommitted record by its timestamp; 0 when there is none, None when unknown."""
    lost: int = 0
    """Records that retention deleted before the group read them, in the last 32 days."""


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer group and its lag."""

    name: str
    state: str
    """Kafka's name of the state: Stable, PreparingRebalance, Empty, …"""
    members: int
    partitions: tuple[PartitionLag, ...]

    @property
    def lag_records(self) -> int:
        return sum(partition.records for partition in self.partitions)

    @property
    def lost_records(self) -> int:
        return sum(partition.lost for partition in self.partitions)

    @property
    def lag_seconds(self) -> float:
        """The largest lag of a partition; partitions of unknown lag count as 0."""
        return max((partition.seconds or 0.0 for partition in self.partitions), default=0.0)


class OpenTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A Kafka transaction that holds a partition back: readers of committed records get nothing from its first record on."""

    topic: str
    partition: int
    offset: int
    """The offset of its first record."""
    held_offsets: int
    """The offsets from there to the end, its own records included."""
    seconds: float
    """Since its begin; since its last record where its coordinator does not know it."""
    producer_id: int
    transactional_id: str
    """Empty where its coordinator does not know it, or this user may not see it."""


class Controller(msgspec.Struct, frozen=True, kw_only=True):
    """The leader of the KRaft quorum."""

    node: int
    voters: tuple[int, ...]
    behind: tuple[int, ...]
    """Voters that have not caught up for CAUGHT_UP_MS: down or unreachable."""
    clock_ms: int
    """The leader's clock when it answered."""


class MissingRight(msgspec.Struct, frozen=True, kw_only=True):
    """A right that the brokers refuse to this user, so that a part of the state is unknown."""

    operation: str
    resource: str
    """`cluster`, `topic` or `group`."""
    name: str
    """Empty for the cluster."""
    unknown: str
    """What the right is needed for."""

    def __str__(self) -> str:
        resource = f"{self.resource} {self.name}".rstrip()
        return f"{self.operation} on the {resource}: {self.unknown}"


class RecentDecisions(msgspec.Struct, frozen=True, kw_only=True):
    """The newest decisions of every partition."""

    counted: int = 0
    without_entities: int = 0
    """Those that lack the features of their entities, because Redis gave no answer in time."""
    outcomes: dict[str, int] = {}
    """Number of decisions by outcome."""

    @property
    def share_without_entities(self) -> float:
        return self.without_entities / max(self.counted, 1)

    def __add__(self, other: "RecentDecisions") -> "RecentDecisions":
        return RecentDecisions(
            counted=self.counted + other.counted,
            without_entities=self.without_entities + other.without_entities,
            outcomes=dict(Counter(self.outcomes) + Counter(other.outcomes)),
        )


class ClusterState(msgspec.Struct, frozen=True, kw_only=True):
    """A whole cluster."""

    seen_at_ms: int
    cluster_id: str
    controller: Controller | None
    """None without a leader of the quorum: topics and leaders cannot change then; and without the right to know it."""
    brokers: tuple[BrokerState, ...]
    topics: tuple[TopicState, ...]
    groups: tuple[GroupState, ...]
    open_transactions: tuple[OpenTransaction, ...] = ()
    """Those that hold back a partition that a group reads."""
    missing_rights: tuple[MissingRight, ...] = ()
    recent_decisions: RecentDecisions | None = None
    """None where they were not read."""

    def hides(self, resource: str, name: str = "") -> bool:
        """Whether a right to this resource is missing, so that what is said about it may be wrong."""
        return any((each.resource, each.name) == (resource, name) for each in self.missing_rights)
