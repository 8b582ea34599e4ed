"""Findings of the doctor for given states of the cluster and the machine."""

from pathlib import Path

import msgspec
import pytest

from app.adapters.kafka.cluster_state import (
    BrokerState,
    ClusterState,
    Controller,
    GroupState,
    LogDir,
    MissingRight,
    OpenTransaction,
    PartitionLag,
    RecentDecisions,
    TopicState,
)
from app.domain.clock import skew_seconds
from app.operations import cluster_checks, local_checks
from app.operations.finding import Finding, Outcome
from app.settings import ModelSettings, Settings, WorkerSettings

SETTINGS = Settings()
GROUP = GroupState(name=SETTINGS.worker.app_id, state="Stable", members=1, partitions=())
DISK = LogDir(path="/log", total_bytes=100, usable_bytes=50, log_bytes=1)
WELL = ClusterState(
    seen_at_ms=0,
    cluster_id="c",
    controller=Controller(node=1, voters=(1,), behind=(), clock_ms=0),
    brokers=(BrokerState(node=1, host="h", port=1, log_dirs=(DISK,)),),
    topics=(TopicState(name="t", partitions=1, under_replicated=(), offline=()),),
    groups=(GROUP,),
)


def but(**changes: object) -> ClusterState:
    """A healthy cluster with these changes."""
    return msgspec.structs.replace(WELL, **changes)


def hidden(resource: str, name: str = "", **changes: object) -> ClusterState:
    """A healthy cluster of which this user may not see a part."""
    right = MissingRight(operation="Describe", resource=resource, name=name, unknown="something")
    return but(missing_rights=(right,), **changes)


def topic(under_replicated: tuple[int, ...] = (), offline: tuple[int, ...] = ()) -> ClusterState:
    found = TopicState(name="t", partitions=1, under_replicated=under_replicated, offline=offline)
    return but(topics=(found,))


def disk(usable_bytes: int, error: str = "") -> ClusterState:
    changed = msgspec.structs.replace(DISK, usable_bytes=usable_bytes, error=error)
    return but(brokers=(BrokerState(node=1, host="h", port=1, log_dirs=(changed,)),))


def group(state: str, members: int, seconds: float = 0.0, lost: int = 0) -> ClusterState:
    lag = PartitionLag(topic="t", partition=0, committed=0, end=5, records=5, seconds=seconds, lost=lost)
    return but(groups=(msgspec.structs.replace(GROUP, state=state, members=members, partitions=(lag,)),))


def transaction(seconds: float) -> ClusterState:
    held = OpenTransaction(
        topic="t",
        partition=3,
        offset=7,
        held_offsets=2,
        seconds=seconds,
        producer_id=12,
        transactional_id="core-1",
    )
    return but(open_transactions=(held,))


def recent(without_entities: int) -> RecentDecisions:
    return RecentDecisions(counted=100, without_entities=without_entities)


BEHIND = Controller(node=1, voters=(1, 2), behind=(2,), clock_ms=0)


@pytest.mark.parametrize(
    ("finding", "outcome"),
    [
        (cluster_checks.check_rights(WELL), "ok"),
        (cluster_checks.check_rights(hidden("cluster")), "warning"),
        (cluster_checks.check_brokers(hidden("cluster", controller=None)), "warning"),
        (cluster_checks.check_broker_disks(hidden("cluster", brokers=())), "warning"),
        (cluster_checks.check_group(hidden("group", GROUP.name, groups=()), SETTINGS), "warning"),
        (cluster_checks.check_lag(hidden("group", GROUP.name, groups=()), SETTINGS), "warning"),
        (cluster_checks.check_lag(hidden("topic", SETTINGS.topics.transactions), SETTINGS), "warning"),
        (cluster_checks.check_brokers(WELL), "ok"),
        (cluster_checks.check_brokers(but(controller=None)), "failed"),
        (cluster_checks.check_brokers(but(controller=BEHIND)), "warning"),
        (cluster_checks.check_copies(WELL, 3), "ok"),
        (cluster_checks.check_copies(WELL, 1), "warning"),
        (cluster_checks.check_copies(topic(under_replicated=(0,)), 3), "warning"),
        (cluster_checks.check_copies(topic(under_replicated=(0,), offline=(0,)), 3), "failed"),
        (cluster_checks.check_broker_disks(WELL), "ok"),
        (cluster_checks.check_broker_disks(disk(14)), "warning"),
        (cluster_checks.check_broker_disks(disk(50, "KafkaStorageError")), "failed"),
        (cluster_checks.check_topics([], []), "ok"),
        (cluster_checks.check_topics(["t: partitions"], ["do"]), "failed"),
        (cluster_checks.check_group(WELL, SETTINGS), "ok"),
        (cluster_checks.check_group(but(groups=()), SETTINGS), "warning"),
        (cluster_checks.check_group(group("Empty", 0), SETTINGS), "warning"),
        (cluster_checks.check_group(group("PreparingRebalance", 2), SETTINGS), "warning"),
        (cluster_checks.check_lag(group("Stable", 1, 60), SETTINGS), "ok"),
        (cluster_checks.check_lag(group("Stable", 1, 61), SETTINGS), "warning"),
        (cluster_checks.check_transactions(WELL), "ok"),
        (cluster_checks.check_transactions(transaction(60)), "ok"),
        (cluster_checks.check_transactions(transaction(61)), "warning"),
        (cluster_checks.check_lost_records(group("Stable", 1), SETTINGS.groups()), "ok"),
        (cluster_checks.check_lost_records(group("Stable", 1, lost=1), SETTINGS.groups()), "failed"),
        (cluster_checks.check_lost_records(group("Stable", 1, lost=1), ["another"]), "ok"),
        (cluster_checks.check_dead_letters(0), "ok"),
        (cluster_checks.check_dead_letters(1), "warning"),
        (cluster_checks.check_entities(recent(1), has_redis=True), "ok"),
        (cluster_checks.check_entities(recent(2), has_redis=True), "warning"),
        (cluster_checks.check_entities(recent(100), has_redis=False), "ok"),
        (cluster_checks.check_entities(RecentDecisions(), has_redis=True), "ok"),
        (cluster_checks.check_entities(None, has_redis=True), "warning"),
        (cluster_checks.check_clock(0.5), "ok"),
        (cluster_checks.check_clock(-2), "warning"),
        (cluster_checks.check_clock(61), "failed"),
    ],
)
def test_a_finding_has_the_right_outcome_and_a_remedy_unless_ok(finding: Finding, outcome: str) -> None:
    assert finding.outcome == Outcome(outcome)
    assert bool(finding.remedy) is (outcome != "ok")


@pytest.mark.parametrize(
    ("theirs", "skew"), [(10.0, 0.0), (12.0, 0.0), (11.0, 0.0), (7.0, 3.0), (15.0, -3.0)]
)
def test_the_response_time_does_not_count_as_clock_skew(theirs: float, skew: float) -> None:
    """Request at second 10, response by second 12."""
    assert skew == skew_seconds(10.0, 12.0, theirs)


def test_a_missing_model_is_reported_with_the_command(tmp_path: Path) -> None:
    settings = Settings(model=ModelSettings(dir=str(tmp_path)))

    assert local_checks.check_model(settings).outcome == Outcome.FAILED
    assert local_checks.check_aliases(settings).outcome == Outcome.FAILED
    assert "fraudstream model verify" in local_checks.check_model(settings).remedy


def test_a_missing_challenger_is_reported(tmp_path: Path) -> None:
    (tmp_path / "aliases.toml").write_text('champion = "a/1"\nchallengers = ["b/2"]\n')

    finding = local_checks.check_aliases(Settings(model=ModelSettings(dir=str(tmp_path))))

    assert finding.outcome == Outcome.FAILED
    assert "b/2" in finding.found


def test_a_data_directory_beneath_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    settings = Settings(worker=WorkerSettings(data_dir=str(file / "data")))

    finding = local_checks.check_data_dir(settings)

    assert finding.outcome == Outcome.FAILED
    assert "FRAUDSTREAM_WORKER_DATA_DIR" in finding.remedy


def test_the_check_creates_no_data_directory(tmp_path: Path) -> None:
    settings = Settings(worker=WorkerSettings(data_dir=str(tmp_path / "data")))

    assert local_checks.check_data_dir(settings).outcome != Outcome.FAILED
    assert not (tmp_path / "data").exists()


def test_an_open_transaction_is_named_by_its_producer() -> None:
    found = cluster_checks.check_transactions(transaction(61)).found

    assert found == "t-3 waits at offset 7 for producer 12 (core-1), 1 min 1 s"


def test_what_is_hidden_is_called_unknown_with_the_right_that_shows_it() -> None:
    state = hidden("cluster", controller=None, brokers=())

    assert "Describe on the cluster: something" in cluster_checks.check_rights(state).found
    found = cluster_checks.check_brokers(state), cluster_checks.check_broker_disks(state)
    assert all("unknown" in each.found and "acl print" in each.remedy for each in found)
