"""Metrics and console view of `fraudstream monitor` for a given cluster state."""

import io

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from app.adapters.kafka.cluster_state import (
    BrokerState,
    ClusterState,
    Controller,
    GroupState,
    LogDir,
    OpenTransaction,
    PartitionLag,
    RecentDecisions,
    TopicState,
)
from app.metrics import CATALOG as WORKER_CATALOG
from app.metrics import PREFIX
from app.operations.cluster_metrics import CATALOG, ClusterCollector, table
from app.operations.cluster_view import cluster_view
from app.operations.recent_decisions import count
from app.operations.trends import POLLS, GroupTrend, Trends
from app.rendering.console import SafeConsole
from tests.support.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "operate" / "monitor.md"

DISK = LogDir(path="/log", total_bytes=1000, usable_bytes=50, log_bytes=700)
STATE = ClusterState(
    seen_at_ms=1,
    cluster_id="c",
    controller=Controller(node=2, voters=(1, 2, 3), behind=(3,), clock_ms=1),
    brokers=(BrokerState(node=1, host="h", port=9092, log_dirs=(DISK,)),),
    topics=(
        TopicState(name="whole", partitions=2, under_replicated=(), offline=()),
        TopicState(name="broken", partitions=4, under_replicated=(1, 2), offline=(2,)),
    ),
    groups=(
        GroupState(
            name="risk",
            state="Stable",
            members=2,
            partitions=(
                PartitionLag(topic="t", partition=0, committed=10, end=30, records=20, seconds=4.5, lost=3),
                PartitionLag(topic="t", partition=1, committed=7, end=7, records=0, seconds=0.0),
                PartitionLag(topic="t", partition=2, committed=7, end=9, records=2, seconds=None),
            ),
        ),
    ),
    open_transactions=(
        OpenTransaction(
            topic="t",
            partition=1,
            offset=7,
            held_offsets=9,
            seconds=75.0,
            producer_id=12,
            transactional_id="core-1",
        ),
    ),
    recent_decisions=RecentDecisions(counted=1_500, without_entities=60),
)


def scraped(state: ClusterState | None) -> dict[str, float]:
    collector, registry = ClusterCollector(), CollectorRegistry()
    collector.latest = state
    registry.register(collector)
    lines = generate_latest(registry).decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}


def shown(state: ClusterState | None) -> str:
    console = SafeConsole(width=160, record=True, file=io.StringIO())
    console.print(cluster_view(state))
    return console.export_text()


def test_the_page_is_up_to_date() -> None:
    """If it fails: replace the table in docs/operate/monitor.md by the output of `python -m app.operations.cluster_metrics`."""
    assert table() in PAGE.read_text(encoding="utf-8")


def test_monitor_and_workers_share_no_metric_name() -> None:
    names = [metric.name for metric in (*WORKER_CATALOG, *CATALOG)]

    assert sorted(set(names)) == sorted(names)


def test_every_metric_of_the_catalog_has_a_series() -> None:
    series = {name.partition("{")[0] for name in scraped(STATE)}

    assert {PREFIX + metric.name for metric in CATALOG} == series


@pytest.mark.parametrize(
    ("series", "value"),
    [
        ("kafka_reachable", 1),
        ("kafka_brokers", 1),
        ('kafka_group_lost_records{group="risk",partition="0",topic="t"}', 3),
        ('kafka_group_lost_records{group="risk",partition="1",topic="t"}', 0),
        ('kafka_open_transaction_seconds{partition="0",topic="t"}', 0),
        ('kafka_open_transaction_seconds{partition="1",topic="t"}', 75),
        ('recent_decisions{entities="absent"}', 60),
        ('recent_decisions{entities="present"}', 1_440),
        ("kafka_controller_node", 2),
        ("kafka_quorum_voters_behind", 1),
        ('kafka_under_replicated_partitions{topic="whole"}', 0),
        ('kafka_under_replicated_partitions{topic="broken"}', 2),
        ('kafka_offline_partitions{topic="broken"}', 1),
        ('kafka_disk_usable_bytes{broker="1",dir="/log"}', 50),
        ('kafka_log_bytes{broker="1",dir="/log"}', 700),
        ('kafka_group_members{group="risk"}', 2),
        ('kafka_group_lag_records{group="risk",partition="0",topic="t"}', 20),
        ('kafka_group_lag_seconds{group="risk",partition="0",topic="t"}', 4.5),
    ],
)
def test_a_metric_has_the_value_of_the_state(series: str, value: float) -> None:
    assert scraped(STATE)[f"fraudstream_{series}"] == value


def test_a_lag_of_unknown_age_is_reported_in_records_only() -> None:
    series = [name for name in scraped(STATE) if 'partition="2"' in name and "_lag_" in name]

    assert ['fraudstream_kafka_group_lag_records{group="risk",partition="2",topic="t"}'] == series


def test_a_quorum_without_a_leader_is_reported() -> None:
    leaderless = msgspec.structs.replace(STATE, controller=None)

    assert scraped(leaderless)["fraudstream_kafka_controller_node"] == -1
    assert "no controller" in shown(leaderless)


def test_an_unreachable_cluster_leaves_no_old_metrics() -> None:
    assert scraped(None) == {"fraudstream_kafka_reachable": 0}
    assert "does not answer" in shown(None)


def test_a_failed_log_directory_is_counted_and_has_no_sizes() -> None:
    failed = LogDir(path="/log", total_bytes=-1, usable_bytes=-1, log_bytes=0, error="KafkaStorageError")
    state = msgspec.structs.replace(
        STATE, brokers=(BrokerState(node=1, host="h", port=9092, log_dirs=(failed,)),)
    )

    page = scraped(state)
    assert page['fraudstream_kafka_log_dirs_failed{broker="1"}'] == 1
    assert [name for name in page if "bytes" in name] == []
    assert "KafkaStorageError" in shown(state)


def test_the_view_names_every_problem() -> None:
    text = shown(STATE)

    assert "voters behind: 3" in text
    assert "95% of 1 kB used" in text
    assert "1, 2" in text
    assert "whole" not in text


def test_the_group_with_the_largest_lag_is_listed_first() -> None:
    (late,) = STATE.groups
    level = GroupState(name="analytics", state="Stable", members=1, partitions=())

    text = shown(msgspec.structs.replace(STATE, groups=(level, late)))

    assert text.index("risk") < text.index("analytics")


def test_the_lag_of_a_group_is_that_of_its_latest_partition() -> None:
    (group,) = STATE.groups

    assert (group.lag_records, group.lag_seconds) == (22, 4.5)


def test_the_view_names_the_producer_of_an_old_transaction_only() -> None:
    (held,) = STATE.open_transactions
    young = msgspec.structs.replace(STATE, open_transactions=(msgspec.structs.replace(held, seconds=9.9),))

    assert "core-1" in shown(STATE)
    assert "core-1" not in shown(young)


def test_the_share_of_decisions_without_entities_is_shown() -> None:
    text = shown(STATE)

    assert "newest decisions: 1,500" in text
    assert "without features of entities: 4.0%" in text


def test_decisions_that_cannot_be_read_are_called_unknown() -> None:
    state = msgspec.structs.replace(STATE, recent_decisions=None)

    assert "decisions are unknown" in shown(state)
    assert [name for name in scraped(state) if "recent_decisions" in name] == []


def polled(seconds: float, committed: int, lag: int, name: str = "risk") -> ClusterState:
    partition = PartitionLag(
        topic="t", partition=0, committed=committed, end=committed + lag, records=lag, seconds=lag / 10
    )
    group = GroupState(name=name, state="Stable", members=2, partitions=(partition,))
    disk = msgspec.structs.replace(DISK, log_bytes=committed * 1000)
    brokers = tuple(BrokerState(node=node, host="h", port=9092, log_dirs=(disk,)) for node in (1, 2))
    return msgspec.structs.replace(
        STATE, seen_at_ms=round(seconds * 1000), brokers=brokers, groups=(group, *STATE.groups[1:])
    )


def remembered(*states: ClusterState | None) -> Trends:
    trends = Trends()
    for state in states:
        trends.add(state)
    return trends


def test_a_trend_is_records_a_second_and_the_lags_of_the_last_polls() -> None:
    trends = remembered(polled(0, 1000, 0), None, polled(10, 6000, 50), polled(20, 11_000, 100))

    assert trends.of_group("risk") == GroupTrend(500.0, [0, 50, 100])
    assert trends.of_group("unknown") == GroupTrend(None, [])
    assert remembered(polled(0, 1000, 0)).of_group("risk").rate is None
    assert remembered(polled(0, 9, 0), polled(1, 5, 0)).of_group("risk").rate == 0


def test_only_the_last_polls_count() -> None:
    trends = remembered(*(polled(number, number * number, number) for number in range(POLLS + 5)))

    assert trends.of_group("risk").lags == list(range(5, POLLS + 5))


def test_the_view_shows_trends_and_totals() -> None:
    states = [polled(0, 1000, 0), polled(3600, 3_601_000, 100)]
    late = msgspec.structs.replace(states[1].groups[0], name="late")
    both = msgspec.structs.replace(states[1], groups=(states[1].groups[0], late))
    console = SafeConsole(width=80, record=True, file=io.StringIO())
    console.print(cluster_view(both, remembered(*states)))
    text = console.export_text()

    rows = [line.split() for line in text.splitlines()]
    assert ["risk", "Stable", "2", "100", "10", "s", "1,000", "▁█", "↑", "0"] in rows
    assert ["all", "2", "groups", "4", "200", "10", "s", "1,000", "0"] in rows
    assert "7 GB" in text
    assert "+7 GB an hour" in text


def test_the_newest_decisions_are_shown_by_outcome() -> None:
    values = (
        [b'{"outcome": "approve"}'] * 97 + [b'{"outcome": "review"}'] * 2 + [b'{"outcome": "decline"}', b"{"]
    )
    recent = count(values) + count([b'{"outcome": "other"}'])

    assert recent.counted == 100
    assert "approve 97.0% · review 2.0% · decline 1.0%" in shown(
        msgspec.structs.replace(STATE, recent_decisions=recent)
    )
