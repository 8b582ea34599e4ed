"""The state of the cluster as Prometheus gauges: a fixed catalog of metrics, each with the function that reads it."""

import sys
from collections.abc import Callable, Iterable, Iterator

import msgspec
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.adapters.kafka.cluster_state import ClusterState, Controller, RecentDecisions
from app.metrics import PREFIX

Sample = tuple[tuple[str, ...], float]
"""Values of the labels, and the value of the sample."""


class ClusterMetric(msgspec.Struct, frozen=True, kw_only=True):
    """One gauge: its name, unit, meaning, labels and the function that reads its samples."""

    name: str
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()
    read: Callable[[ClusterState], Iterable[Sample]]


def _of_cluster(value: Callable[[ClusterState], float]) -> Callable[[ClusterState], Iterable[Sample]]:
    return lambda state: [((), value(state))]


def _of_disks(field: str) -> Callable[[ClusterState], Iterable[Sample]]:
    return lambda state: [
        ((str(broker.node), disk.path), getattr(disk, field))
        for broker in state.brokers
        for disk in broker.log_dirs
        if not disk.error and getattr(disk, field) >= 0
    ]


def _of_partitions(field: str) -> Callable[[ClusterState], Iterable[Sample]]:
    return lambda state: [
        ((group.name, lag.topic, str(lag.partition)), getattr(lag, field))
        for group in state.groups
        for lag in group.partitions
        if getattr(lag, field) is not None
    ]


def _of_quorum(value: Callable[[Controller | None], float]) -> Callable[[ClusterState], Iterable[Sample]]:
    """No sample where this user may not know the controller: its absence is an alert."""
    return lambda state: [] if state.hides("cluster") else [((), value(state.controller))]


def _open_transactions(state: ClusterState) -> dict[tuple[str, ...], float]:
    """The age by topic and partition, for every partition that a group reads."""
    ages: dict[tuple[str, ...], float] = {
        (lag.topic, str(lag.partition)): 0.0 for group in state.groups for lag in group.partitions
    }
    return ages | {(each.topic, str(each.partition)): each.seconds for each in state.open_transactions}


def _recent(recent: RecentDecisions | None) -> Iterable[Sample]:
    if recent is None:
        return []
    present = recent.counted - recent.without_entities
    return [(("present",), present), (("absent",), recent.without_entities)]


REACHABLE = ClusterMetric(
    name="kafka_reachable",
    unit="",
    meaning="1 when the last poll of the cluster succeeded; 0 when it failed, and then no other series is exported.",
    read=_of_cluster(lambda _: 1),
)
CATALOG = (
    REACHABLE,
    ClusterMetric(
        name="kafka_brokers",
        unit="brokers",
        meaning="Brokers that answer.",
        read=_of_cluster(lambda state: len(state.brokers)),
    ),
    ClusterMetric(
        name="kafka_controller_node",
        unit="",
        meaning="Id of the node that leads the quorum; -1 when there is none: topics and leaders cannot change.",
        read=_of_quorum(lambda controller: -1 if controller is None else controller.node),
    ),
    ClusterMetric(
        name="kafka_quorum_voters_behind",
        unit="nodes",
        meaning="Voters of the quorum that have not caught up for 30 s: down or unreachable.",
        read=_of_quorum(lambda controller: 0 if controller is None else len(controller.behind)),
    ),
    ClusterMetric(
        name="kafka_under_replicated_partitions",
        unit="partitions",
        labels=("topic",),
        meaning="Partitions with a missing or lagging replica. Losing one more broker may stop writes.",
        read=lambda state: [((topic.name,), len(topic.under_replicated)) for topic in state.topics],
    ),
    ClusterMetric(
        name="kafka_offline_partitions",
        unit="partitions",
        labels=("topic",),
        meaning="Partitions without a leader: neither readable nor writable.",
        read=lambda state: [((topic.name,), len(topic.offline)) for topic in state.topics],
    ),
    ClusterMetric(
        name="kafka_disk_total_bytes",
        unit="bytes",
        labels=("broker", "dir"),
        meaning="Size of the disk of a broker's log directory.",
        read=_of_disks("total_bytes"),
    ),
    ClusterMetric(
        name="kafka_disk_usable_bytes",
        unit="bytes",
        labels=("broker", "dir"),
        meaning="Free space on the disk of a broker's log directory. A broker stops when its disk is full.",
        read=_of_disks("usable_bytes"),
    ),
    ClusterMetric(
        name="kafka_log_bytes",
        unit="bytes",
        labels=("broker", "dir"),
        meaning="Bytes of all partitions in a broker's log directory.",
        read=_of_disks("log_bytes"),
    ),
    ClusterMetric(
        name="kafka_log_dirs_failed",
        unit="directories",
        labels=("broker",),
        meaning="Log directories that a broker has taken offline after a disk error.",
        read=lambda state: [
            ((str(broker.node),), sum(bool(disk.error) for disk in broker.log_dirs))
            for broker in state.brokers
        ],
    ),
    ClusterMetric(
        name="kafka_group_members",
        unit="members",
        labels=("group",),
        meaning="Members of a consumer group.",
        read=lambda state: [((group.name,), group.members) for group in state.groups],
    ),
    ClusterMetric(
        name="kafka_group_lag_records",
        unit="records",
        labels=("group", "topic", "partition"),
        meaning=(
            "Records that a group has not committed; markers of Kafka transactions are counted only behind a large number of "
            "records."
        ),
        read=_of_partitions("records"),
    ),
    ClusterMetric(
        name="kafka_group_lag_seconds",
        unit="seconds",
        labels=("group", "topic", "partition"),
        meaning="Age of the oldest record that a group has not committed, by its timestamp; 0 without lag.",
        read=_of_partitions("seconds"),
    ),
    ClusterMetric(
        name="kafka_group_lost_records",
        unit="records",
        labels=("group", "topic", "partition"),
        meaning=(
            "Records that retention deleted before a group read them, in the last 32 days: those that its next worker will miss, "
            "and those that its workers passed."
        ),
        read=_of_partitions("lost"),
    ),
    ClusterMetric(
        name="kafka_open_transaction_seconds",
        unit="seconds",
        labels=("topic", "partition"),
        meaning=(
            "Age of the Kafka transaction that holds back a partition that a group reads: readers of committed records wait "
            "behind it. 0 without one."
        ),
        read=lambda state: _open_transactions(state).items(),
    ),
    ClusterMetric(
        name="recent_decisions",
        unit="decisions",
        labels=("entities",),
        meaning=(
            "The newest decisions of every partition, up to 500 each, with the features of their entities (present) and without "
            "(absent). No series where they cannot be read."
        ),
        read=lambda state: _recent(state.recent_decisions),
    ),
)


class ClusterCollector(Collector):
    """Exports ``latest`` at each scrape, so that deleted groups, topics and brokers have no series."""

    latest: ClusterState | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        state = self.latest
        if state is None:
            yield _family(REACHABLE, [((), 0)])
            return
        for metric in CATALOG:
            yield _family(metric, metric.read(state))


def table() -> str:
    """Return the catalog as the Markdown table of ``docs/operate/monitor.md``."""
    rows = [
        f"| `{PREFIX}{metric.name}` | {metric.unit} | {', '.join(metric.labels)} | {metric.meaning} |"
        for metric in CATALOG
    ]
    return "\n".join(["| name | unit | labels | meaning |", "| --- | --- | --- | --- |", *rows]) + "\n"


def _family(metric: ClusterMetric, samples: Iterable[Sample]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(PREFIX + metric.name, metric.meaning, labels=list(metric.labels))
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


if __name__ == "__main__":
    sys.stdout.write(table())
