"""Orders given to the workers, and what came of them: the other end of the control topic."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from app.adapters.aliases import bundle_path
from app.adapters.bundles import Loading, champion, load
from app.adapters.control_log import PARTITION, ControlLog, order_record
from app.adapters.kafka_sender import KafkaSender
from app.adapters.topic_reader import TopicReader
from app.domain.control import ModelOrder, WorkerReport
from app.errors import ConfigurationError
from app.settings import Settings
from app.streaming.model_control import REPORT_SECONDS, as_it_stands, read_control

SILENT_MS = int(3 * REPORT_SECONDS * 1000)
"""A worker not heard of for so long is gone, or hears nothing."""


class Answers(NamedTuple):
    """What came of an order: the report of each worker that answered, and who was heard of just before and did not."""

    reports: list[WorkerReport]
    silent: list[WorkerReport]

    @property
    def unanimous(self) -> bool:
        """Every worker runs what was ordered."""
        return not self.silent and all(report.refused is None for report in self.reports)


def promotion(settings: Settings, model: str, log: ControlLog) -> ModelOrder:
    """The order that ``model`` is to decide. It is loaded and checked here first; raises ModelRejected."""
    models_dir, loading = Path(settings.model.dir), Loading.by(settings.model)
    reference = load(bundle_path(models_dir, model), loading).reference
    if log.order is None:
        previous = champion(models_dir, loading=loading).reference
    else:  # said twice, it must not be its own predecessor
        previous = log.order.model if log.order.model != reference else log.order.previous or reference
    return ModelOrder(model=reference, previous=previous, ordered_at=_now_ms())


def rollback(log: ControlLog) -> ModelOrder:
    """The order that puts back what decided before the last one. Raises ConfigurationError."""
    if log.order is None or log.order.previous is None:
        raise ConfigurationError(
            "No order stands that could be rolled back. `fraudstream model promote NAME/VERSION` gives one."
        )
    return ModelOrder(model=log.order.previous, previous=log.order.model, ordered_at=_now_ms())


async def give(settings: Settings, order: ModelOrder | None, wait_seconds: float) -> Answers:
    """Write the order, None to withdraw the one in force, and gather the workers' answers for so long at most."""
    async with read_control(settings) as reader:
        log = await as_it_stands(reader)
        asked = {report.worker: report for report in living(log)}
        offset = await _write(settings, order)
        answered: dict[str, WorkerReport] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await _listen(reader, offset, order, answered, until=asked.keys())
    return Answers(
        reports=list(answered.values()),
        silent=[report for worker, report in asked.items() if worker not in answered],
    )


def living(log: ControlLog) -> list[WorkerReport]:
    """Reports of workers that were heard of lately."""
    oldest_ms = _now_ms() - SILENT_MS
    return [report for report in log.reports.values() if report.reported_at > oldest_ms]


async def _listen(
    reader: TopicReader,
    offset: int,
    order: ModelOrder | None,
    answered: dict[str, WorkerReport],
    until: Collection[str],
) -> None:
    """Gather reports that stand after ``offset`` and answer the order."""
    wanted, log = order.ordered_at if order else None, ControlLog()
    if not until:
        return
    async for records in reader.batches():
        for record in records:
            if record.offset > offset:
                log.apply(record)
        answered |= {worker: report for worker, report in log.reports.items() if report.answers == wanted}
        if answered.keys() >= set(until):
            return


async def _write(settings: Settings, order: ModelOrder | None) -> int:
    sender = KafkaSender(settings.kafka)
    try:
        await sender.start()
        return await sender.send(settings.topics.control, PARTITION, [order_record(order)])
    finally:
        await sender.stop()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
