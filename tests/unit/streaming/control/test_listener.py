"""A worker whose canary left its bounds stops that canary, and no other, on all workers, once."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from app.adapters.kafka.records import OutRecord
from app.adapters.models.bundles import Bundle, load
from app.adapters.models.loading import UNSIGNED
from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.topic_records.control_log import ControlLog, order_record, stop_record
from app.adapters.topic_records.control_reader import ControlReader
from app.adapters.topic_records.order_signatures import any_order
from app.domain.control import (
    CANARY_KEY,
    CHAMPION_KEY,
    CanaryBounds,
    CanaryOrder,
    CanaryStop,
    ModelOrder,
    OrderRefusal,
    model_id,
    stop_key,
)
from app.errors import PolicyRejected, SendFailed
from app.features import catalog
from app.processing.policy_run import LoadedPolicy
from app.scoring.lineup import Lineup
from app.settings import ModelSettings, Settings
from app.streaming.control.controller import ModelCallbacks, ModelController
from app.streaming.control.lineup import LineupTerms
from app.streaming.control.listener import ControlListener
from app.streaming.control.model_choice import ModelChoice
from app.streaming.control.policy import PolicyTerms, WantedPolicy
from app.version import VERSION
from tests.support.wire.hostile import spoiled

NOW_MS = 1_760_000_000_000
LOUD = "large-amounts/3"
ROWS = np.zeros((4, len(catalog.NAMES)))


class Topic:
    """Topics in memory that can refuse records."""

    def __init__(self) -> None:
        self.refuses = False
        self.records: list[OutRecord] = []
        self.written: set[str] = set()

    async def send(self, topic: str, partition: int, records: list[OutRecord]) -> None:  # noqa: ARG002  # a sender's
        if self.refuses:
            raise SendFailed("no broker")
        self.written.add(topic)
        self.records += records

    @property
    def stops(self) -> list[CanaryOrder]:
        found = [record for record in self.records if record.key == stop_key("w1")]
        return [msgspec.json.decode(record.value or b"", type=CanaryOrder) for record in found]


def no_policies(wanted: WantedPolicy) -> LoadedPolicy:
    raise PolicyRejected(f"{wanted.policy} is not here")


class Worker:
    """A worker with a canary that alerts on every transaction, and that has scored one chunk."""

    def __init__(self, models: Path) -> None:
        self.topic, self.log = Topic(), ControlLog()
        choice = ModelChoice(models, "", UNSIGNED)
        running = choice.first(None, NOW_MS)
        self.champions: list[str] = []
        self.lineup = Lineup(running.bundle)
        terms = LineupTerms("w1", 0.010, lambda: 0.0, lambda: NOW_MS)
        callbacks = ModelCallbacks(self.use_champion, self.use_lineup)
        self.policies: list[LoadedPolicy | None] = []
        policy = PolicyTerms("", no_policies, self.policies.append)
        self.controller = ModelController(choice, running, terms, callbacks, policy, PrometheusMetrics())
        settings = Settings(model=ModelSettings(dir=str(models)))
        self.metrics = PrometheusMetrics()
        self.listener = ControlListener(
            settings,
            "w1",
            self.controller,
            self.log,
            self.topic,  # type: ignore[arg-type]  # a producer in memory
            self.metrics,
        )
        self.model = load(models / LOUD, UNSIGNED).reference

    def use_champion(self, bundle: Bundle) -> None:
        self.champions.append(model_id(bundle.reference))

    def use_lineup(self, lineup: Lineup) -> None:
        self.lineup = lineup

    async def order_canary(self, ordered_at: int) -> None:
        """An order on the control topic."""
        bounds = CanaryBounds(max_alert_rate=0.5, window=4)
        order = CanaryOrder(model=self.model, share=1.0, bounds=bounds, ordered_at=ordered_at)
        self.log.apply(Read(order_record(order), ordered_at))

    async def follow(self) -> None:
        await self.controller.follow(self.log.orders)

    def score(self) -> None:
        assert self.lineup.canary is not None
        self.lineup.canary.score(ROWS)

    async def send_stop(self) -> None:
        await self.listener._send_stop()


class Read:
    """A record as a consumer returns it."""

    partition, timestamp = 0, NOW_MS

    topic = "orders"
    headers = ()

    def __init__(self, record: OutRecord, offset: int) -> None:
        self.key, self.value, self.offset = record.key, record.value, offset


@pytest.fixture
async def worker(trial_models: Path) -> Worker:
    started = Worker(trial_models)
    await started.controller.start(started.log.orders)
    await started.order_canary(1)
    await started.follow()
    started.score()
    return started


async def test_the_stop_of_a_canary_is_sent_once(worker: Worker) -> None:
    await worker.send_stop()
    await worker.send_stop()

    (stop,) = worker.topic.stops
    assert worker.topic.written == {Settings().topics.worker_reports}
    assert (1, LOUD) == (stop.ordered_at, model_id(stop.model))
    assert stop.stopped is not None
    assert ("w1", True) == (stop.stopped.worker, "alerted on" in stop.stopped.reason)


async def test_a_worker_that_hears_of_the_stop_stops_the_canary_too(worker: Worker) -> None:
    canary = worker.log.orders.canary
    assert canary is not None
    other = msgspec.structs.replace(
        canary, stopped=CanaryStop(worker="w2", reason="alerted", stopped_at=NOW_MS)
    )
    assert worker.log.apply_report(Read(stop_record("w2", other), 1))
    await worker.follow()

    assert worker.lineup.canary is None
    report = worker.controller.report(heard=1).canary
    assert report is not None
    assert report.stopped == "alerted"


async def test_the_stop_of_an_older_canary_is_not_sent_after_a_newer_order(worker: Worker) -> None:
    await worker.order_canary(2)
    await worker.send_stop()
    assert [] == worker.topic.stops

    await worker.follow()
    worker.score()
    await worker.send_stop()
    assert [2] == [stop.ordered_at for stop in worker.topic.stops]


async def test_the_stop_of_a_withdrawn_canary_is_not_sent(worker: Worker) -> None:
    worker.log.apply(Read(OutRecord(CANARY_KEY, None), 2))
    await worker.send_stop()

    assert [] == worker.topic.stops


async def test_a_stop_that_could_not_be_sent_is_sent_again(worker: Worker) -> None:
    worker.topic.refuses = True
    await worker.send_stop()
    worker.topic.refuses = False
    await worker.send_stop()

    assert [1] == [stop.ordered_at for stop in worker.topic.stops]


async def test_a_champion_order_reaches_the_lineup_and_the_report(worker: Worker, trial_models: Path) -> None:
    second = load(trial_models / "large-amounts/2", UNSIGNED).reference
    worker.log.apply(Read(order_record(ModelOrder(model=second, ordered_at=2)), 7))
    await worker.follow()

    assert worker.champions == ["large-amounts/1", "large-amounts/2"]
    assert model_id(worker.lineup.champion.reference) == "large-amounts/2"
    report = worker.controller.report(heard=7)
    assert (report.worker, report.runs, report.heard, report.refused) == ("w1", second, 7, None)
    assert report.version == VERSION


async def test_a_refused_order_is_in_the_report(worker: Worker) -> None:
    assert worker.listener._report().order_refused is msgspec.UNSET

    worker.log.apply(Read(OutRecord(CHAMPION_KEY, b"{}"), 9))

    refused = worker.listener._report().order_refused
    assert isinstance(refused, OrderRefusal)
    assert (refused.key, refused.offset) == ("champion", 9)


async def test_refused_orders_are_counted(worker: Worker) -> None:
    reader = ControlReader(None, "reports", any_order)  # type: ignore[arg-type]  # nothing is fetched
    record = OutRecord(CHAMPION_KEY, b"{}")
    worker.controller.changed.clear()
    worker.listener._apply(reader, [Read(record, 9), Read(record, 10)])

    assert "control_records_refused_total 2.0" in worker.metrics.page("").body.decode()
    assert not worker.controller.changed.is_set()


ORDERS: Any = SimpleNamespace(apply=lambda log, record: log.apply(record))
"""The reader of the topic of orders."""


async def test_each_record_of_a_family_is_followed_or_refused_and_the_next_order_counts(
    worker: Worker, trial_models: Path
) -> None:
    """Orders for models that do not exist, or cannot: the champion keeps deciding, and the listener reads the next order."""
    model = {"name": "no-such", "version": "2", "digest": "0" * 64}
    orders: dict[bytes, dict[str, Any]] = {
        b"champion": {"model": model, "previous": model, "ordered_at": 5},
        b"challengers": {"models": [model], "ordered_at": 5},
        b"canary": {"model": model, "share": 0.5, "bounds": {"max_alert_rate": 0.5}, "ordered_at": 5},
    }
    offsets = iter(range(10, 10_000))
    for key, order in orders.items():
        for name, value in spoiled(order):
            before = worker.log.refused
            worker.listener._apply(ORDERS, [Read(OutRecord(key, value), next(offsets))])
            await worker.follow()
            report = worker.controller.report(heard=1)
            assert model_id(report.runs) == "large-amounts/1", name
            assert len(msgspec.json.encode(report)) < 10_000, name
            assert worker.log.refused - before in {0, 1}, name

    second = load(trial_models / "large-amounts/2", UNSIGNED).reference
    worker.listener._apply(
        ORDERS, [Read(order_record(ModelOrder(model=second, ordered_at=2)), next(offsets))]
    )
    await worker.follow()
    assert worker.champions[-1] == "large-amounts/2"
    assert worker.log.refused > 100
    counted = f"fraudstream_control_records_refused_total {worker.log.refused}"
    assert counted in worker.metrics.page("").body.decode()


async def test_a_task_of_the_listener_that_fails_begins_again(worker: Worker) -> None:
    """Not only by records: an error of this code that nobody foresaw must not end the control of models for good."""
    worker.listener._retry_seconds = 0.0
    begun: list[int] = []
    third = asyncio.Event()

    async def work() -> None:
        begun.append(1)
        if len(begun) < 3:
            raise IndexError("secret")
        third.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(worker.listener._keep_running(work))
    async with asyncio.timeout(5):
        await third.wait()
    running.cancel()

    assert "fraudstream_model_control_failures_total 2" in worker.metrics.page("").body.decode()
