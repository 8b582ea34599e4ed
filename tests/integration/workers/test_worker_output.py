"""Decisions and alerts of one small run that includes repeated transactions."""

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from app.cli import app
from app.domain.decision import Alert, Decision, Method
from app.local import ports
from app.local.state import Stack
from app.settings import values
from tests.support import oracle, reading
from tests.support.deployment import Deployment, check_guarantee, shared_deployment
from tests.support.servers.collector import Collector, collecting
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

TRACE = [
    ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("tracestate", b"bank=1"),
]
SCORED = 1_000
REPEATED = 200


class Run(NamedTuple):
    """The results of a run; each record with its key, headers, partition and offset."""

    deployment: Deployment
    source: dict[str, Any]
    """The first record of each transaction."""
    source_records: int
    decisions: list[Any]
    alerts: list[Any]
    listening: list[tuple[str, int]]
    """Addresses on which the worker listened."""
    spans: list[Any]
    """The spans that a collector received from the worker."""


@pytest.fixture(scope="module")
def run(stack: Stack, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    deployment = Deployment(stack, tmp_path_factory.mktemp("output"), models)
    with collecting() as collector, shared_deployment(deployment, partial(one_run, collector)) as done:
        yield done


async def one_run(collector: Collector, deployment: Deployment) -> Run:
    worker = deployment.worker(FRAUDSTREAM_TRACING_OTLP_URL=collector.url)
    worker.start()
    await send_with_trace(deployment)
    await deployment.drained()
    listening = [
        (connection.laddr.ip, connection.laddr.port)
        for connection in psutil.Process(worker.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert worker.terminate() == 0
    await check_guarantee(deployment, worker)
    topics = deployment.settings.topics
    log = await deployment.read(topics.transactions)
    source: dict[str, Any] = {}
    for record in sorted(log, key=lambda record: record.offset):
        source.setdefault(json.loads(record.value)["transaction_id"], record)
    decisions, alerts = await deployment.read(topics.decisions), await deployment.read(topics.alerts)
    return Run(deployment, source, len(log), decisions, alerts, listening, collector.spans)


async def send_with_trace(deployment: Deployment) -> None:
    """Send every transaction, and some once more under another offset, as a producer that retries does."""
    transactions = list(traffic(SCORED, seed=21))
    again = [transaction for transaction in transactions if transaction.event_time > 1_760_000_000_000][
        :REPEATED
    ]
    async with AIOKafkaProducer(bootstrap_servers=deployment.servers) as producer:
        for transaction in [*transactions, *again]:
            value = msgspec.json.encode(transaction)
            await producer.send(
                deployment.settings.topics.transactions,
                key=transaction.customer_id.encode(),
                value=value,
                headers=[*TRACE, ("secret", b"of the producer")],
            )


def test_a_transaction_sent_again_under_another_offset_is_applied_and_decided_once(run: Run) -> None:
    """``check_guarantee`` has found that it is applied once."""
    assert run.source_records == SCORED + REPEATED
    assert len(run.decisions) == SCORED
    assert set(run.source) == {json.loads(record.value)["transaction_id"] for record in run.decisions}


def test_a_decision_names_its_source_record_and_its_model(run: Run) -> None:
    for record in run.decisions:
        decision = msgspec.json.decode(record.value, type=Decision)
        origin = run.source[decision.transaction_id]

        assert (origin.key, origin.partition) == (record.key, record.partition)
        assert decision.customer_id.encode() == record.key
        assert (origin.topic, origin.partition, origin.offset) == (
            decision.source.topic,
            decision.source.partition,
            decision.source.offset,
        )
        assert json.loads(origin.value) == msgspec.to_builtins(decision.transaction)
        assert decision.model.name == "large-amounts"
        assert len(decision.features) == len(oracle.FEATURES)
        assert decision.scored_at <= time.time() * 1000


def test_every_decision_of_a_traced_transaction_is_a_span_of_its_trace(run: Run) -> None:
    """Spans of the last second included: a stopping worker sends its remaining spans."""
    assert SCORED == len(run.spans)
    for span in run.spans:
        assert TRACE[0][1].decode() == f"00-{span.trace_id.hex()}-{span.parent_span_id.hex()}-01"
        assert 0 < span.start_time_unix_nano < span.end_time_unix_nano


def test_decisions_and_alerts_are_cloud_events_with_ids_that_repeat(run: Run) -> None:
    for records, kind in ((run.decisions, "decision"), (run.alerts, "alert")):
        for record in records:
            fields = json.loads(record.value)
            headers = dict(record.headers)

            assert headers == {
                "content-type": b"application/json",
                "ce_specversion": b"1.0",
                "ce_source": b"/fraudstream/risk",
                "ce_type": f"fraud.{kind}.v1".encode(),
                "ce_id": fields[f"{kind}_id"].encode(),
            } | dict(TRACE)
            assert f"{kind}-{fields['transaction_id']}" == fields[f"{kind}_id"]


def test_an_alert_is_its_decision_with_a_snapshot_and_reasons(run: Run) -> None:
    decisions = {
        json.loads(record.value)["transaction_id"]: json.loads(record.value) for record in run.decisions
    }
    assert run.alerts
    for record in run.alerts:
        alert = msgspec.json.decode(record.value, type=Alert)
        decision = decisions[alert.transaction_id]

        assert decision["outcome"] == alert.outcome != "approve"
        assert decision["features"] == [value.value for value in alert.snapshot.values()]
        assert tuple(alert.snapshot) == oracle.FEATURES
        assert alert.explained_by == Method.TREE_PATHS
        assert alert.reasons
        assert all(reason.contribution is not None for reason in alert.reasons)
        assert decision | {"reasons": None} == _without_additions(record.value)


def _without_additions(value: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(value) | {"reasons": None}
    return {name: fields[name] for name in fields if name not in {"alert_id", "snapshot", "explained_by"}}


def test_drift_covers_every_decision_of_the_champion(
    run: Run, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in values(run.deployment.settings).items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("FRAUDSTREAM_MODEL_DIR", str(models))

    ran = CliRunner().invoke(app, ["drift", "--json"])

    output = json.loads(ran.stdout)
    assert len(run.decisions) == output["decisions"]
    assert "score" in {drift["name"] for drift in output["drifts"]}


def test_a_worker_listens_on_no_port(run: Run) -> None:
    assert run.listening == []


async def test_metrics_are_served_on_loopback_only(deployment: Deployment) -> None:
    unused_port = ports.choose()
    worker = deployment.worker(FRAUDSTREAM_WORKER_METRICS_PORT=str(unused_port))
    worker.start()
    worker.wait_started()

    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for connection in psutil.Process(worker.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }

    assert {("127.0.0.1", unused_port)} == listening
    await deployment.drained()


def test_no_log_names_a_customer(run: Run) -> None:
    """Values of events are personal data; a log is read by many."""
    (worker,) = run.deployment.workers

    assert [name for name in run.source if name in worker.text()] == []
    assert not reading.stored_values(worker.data_dir).keys() & {
        line.encode() for line in worker.text().split()
    }
