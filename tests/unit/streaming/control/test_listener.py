"""What one worker tells the others of a canary that left its bounds: once, and of no other canary."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.adapters.kafka.records import OutRecord
from app.adapters.models.bundles import load
from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.topic_records.control_log import ControlLog, order_record
from app.domain.control import CANARY_KEY, CanaryBounds, CanaryOrder, model_id
from app.errors import SendFailed
from app.features import catalog
from app.scoring.lineup import Lineup
from app.settings import ModelSettings, Settings
from app.streaming.control.champion import Choice, ModelSwitch
from app.streaming.control.lineup import LineupSwitch, Terms
from app.streaming.control.listener import ModelControl

NOW_MS = 1_760_000_000_000
LOUD = "large-amounts/3"
ROWS = np.zeros((4, len(catalog.NAMES)))


class Topic:
    """The control topic, which may refuse."""

    def __init__(self) -> None:
        self.refuses = False
        self.records: list[OutRecord] = []

    async def send(self, topic: str, partition: int, records: list[OutRecord]) -> None:  # noqa: ARG002  # a sender's
        if self.refuses:
            raise SendFailed("no broker")
        self.records += records

    @property
    def stops(self) -> list[CanaryOrder]:
        found = [record for record in self.records if record.key == CANARY_KEY]
        return [msgspec.json.decode(record.value or b"", type=CanaryOrder) for record in found]


class Worker:
    """One that has been told of a canary which alerts on everything, and has scored a chunk by it."""

    def __init__(self, models: Path) -> None:
        self.topic, self.log = Topic(), ControlLog()
        choice, metrics = Choice(models, ""), PrometheusMetrics()
        self.lineup = Lineup(choice.first(None, NOW_MS).bundle)
        terms = Terms("w1", 0.010, lambda: 0.0, lambda: NOW_MS)
        self.switch = LineupSwitch(choice, terms, self.put, metrics)
        champion = ModelSwitch(
            choice, choice.first(None, NOW_MS), self.switch.champion_is, metrics, lambda: NOW_MS
        )
        self.switch.champion_is(champion.running.bundle)
        settings = Settings(model=ModelSettings(dir=str(models)))
        self.control = ModelControl(settings, "w1", champion, self.switch, self.log, self.topic)  # type: ignore[arg-type]  # what it sends by
        self.model = load(models / LOUD).reference

    def put(self, lineup: Lineup) -> None:
        self.lineup = lineup

    async def hear_of(self, ordered_at: int) -> None:
        """An order, which comes by the topic."""
        bounds = CanaryBounds(max_alert_rate=0.5, window=4)
        order = CanaryOrder(model=self.model, share=1.0, bounds=bounds, ordered_at=ordered_at)
        self.log.apply(Read(order_record(order), ordered_at))

    async def follow(self) -> None:
        await self.switch.follow(self.log.orders)

    def score(self) -> None:
        assert self.lineup.canary is not None
        self.lineup.canary.score(ROWS)

    async def tell(self) -> None:
        await self.control._tell_of_a_stop()


class Read:
    """A record as a consumer gives it."""

    def __init__(self, record: OutRecord, offset: int) -> None:
        self.key, self.value, self.offset = record.key, record.value, offset


@pytest.fixture
async def worker(trial_models: Path) -> Worker:
    started = Worker(trial_models)
    await started.hear_of(1)
    await started.follow()
    started.score()
    return started


async def test_the_end_of_a_canary_is_told_once(worker: Worker) -> None:
    await worker.tell()
    await worker.tell()

    (stop,) = worker.topic.stops
    assert (1, LOUD) == (stop.ordered_at, model_id(stop.model))
    assert stop.stopped is not None
    assert ("w1", True) == (stop.stopped.worker, "alerted on" in stop.stopped.reason)


async def test_a_canary_that_was_ordered_since_is_not_ended_by_the_one_before(worker: Worker) -> None:
    """The topic keeps one canary's order: to write the end of the older would withdraw the newer."""
    await worker.hear_of(2)
    await worker.tell()
    assert [] == worker.topic.stops

    await worker.follow()
    worker.score()
    await worker.tell()
    assert [2] == [stop.ordered_at for stop in worker.topic.stops]


async def test_a_canary_that_was_withdrawn_since_is_not_ordered_again_as_stopped(worker: Worker) -> None:
    worker.log.apply(Read(OutRecord(CANARY_KEY, None), 2))
    await worker.tell()

    assert [] == worker.topic.stops


async def test_an_end_that_could_not_be_told_is_told_later(worker: Worker) -> None:
    worker.topic.refuses = True
    await worker.tell()
    worker.topic.refuses = False
    await worker.tell()

    assert [1] == [stop.ordered_at for stop in worker.topic.stops]
