"""Orders given to the workers, and what came of them: the other end of the control topic."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import OutRecord
from app.adapters.kafka.tail_reader import TailReader
from app.adapters.models.aliases import bundle_path
from app.adapters.models.bundles import Loading, champion, load
from app.adapters.topic_records.control_log import PARTITION, ControlLog, order_record, withdrawal_record
from app.domain.control import (
    CANARY_KEY,
    CanaryBounds,
    CanaryOrder,
    ChallengersOrder,
    ModelOrder,
    WorkerReport,
)
from app.domain.decision import ModelReference
from app.errors import ConfigurationError
from app.settings import Settings
from app.streaming.control.listener import REPORT_SECONDS, as_it_stands, read_control

SILENT_MS = int(3 * REPORT_SECONDS * 1000)
"""A worker not heard of for so long is gone, or hears nothing."""


class Answers(NamedTuple):
    """What came of an order: the report of each worker that answered, and who was heard of just before and did not."""

    reports: list[WorkerReport]
    silent: list[WorkerReport]

    def unanimous(self, refused: Callable[[WorkerReport], bool]) -> bool:
        """Every worker does what was ordered."""
        return not self.silent and not any(map(refused, self.reports))


def refuses_champion(report: WorkerReport) -> bool:
    return report.refused is not None


def refuses_challenger(report: WorkerReport) -> bool:
    return any(challenger.refused for challenger in report.challengers)


def refuses_canary(report: WorkerReport) -> bool:
    return report.canary is not None and bool(report.canary.refused)


def promotion(settings: Settings, model: str, log: ControlLog) -> ModelOrder:
    """The order that ``model`` is to decide. It is loaded and checked here first; raises ModelRejected."""
    models_dir, loading = Path(settings.model.dir), Loading.by(settings.model)
    reference = _checked(settings, model)
    standing = log.orders.champion
    if standing is None:
        previous = champion(models_dir, loading=loading).reference
    else:  # said twice, it must not be its own predecessor
        previous = standing.model if standing.model != reference else standing.previous or reference
    return ModelOrder(model=reference, previous=previous, ordered_at=_now_ms())


def rollback(log: ControlLog) -> ModelOrder:
    """The order that puts back what decided before the last one. Raises ConfigurationError."""
    standing = log.orders.champion
    if standing is None or standing.previous is None:
        raise ConfigurationError(
            "No order stands that could be rolled back. `fraudstream model promote NAME/VERSION` gives one."
        )
    return ModelOrder(model=standing.previous, previous=standing.model, ordered_at=_now_ms())


def challenge(settings: Settings, models: Sequence[str]) -> ChallengersOrder:
    """The order that ``models`` are scored in shadow. They are loaded and checked here first; raises ModelRejected."""
    return ChallengersOrder(models=[_checked(settings, model) for model in models], ordered_at=_now_ms())


def canary(settings: Settings, model: str, share: float, bounds: CanaryBounds) -> CanaryOrder:
    """The order that ``model`` decides for a share of the customers. It is loaded here first; raises ModelRejected."""
    return CanaryOrder(model=_checked(settings, model), share=share, bounds=bounds, ordered_at=_now_ms())


def usual_alert_rate(settings: Settings, model: str) -> float:
    """Share of transactions that ``model`` would have alerted on when it was measured. Raises ConfigurationError."""
    rate = load(
        bundle_path(Path(settings.model.dir), model), Loading.by(settings.model)
    ).manifest.metrics.get("review_share")
    if not rate:
        raise ConfigurationError(f"The manifest of {model} names no review_share. Give --max-alert-rate.")
    return rate


def change_of_champion(order: ModelOrder) -> list[OutRecord]:
    """The order, and the end of a canary: it was held against another champion."""
    return [withdrawal_record(CANARY_KEY), order_record(order)]


async def give(settings: Settings, records: Sequence[OutRecord], wait_seconds: float) -> Answers:
    """Write orders and gather the workers' answers for so long at most."""
    async with read_control(settings) as reader:
        log = await as_it_stands(reader)
        asked = {report.worker: report for report in living(log)}
        offset = await _write(settings, records)
        answered: dict[str, WorkerReport] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await _listen(reader, offset, answered, until=asked.keys())
    return Answers(
        reports=list(answered.values()),
        silent=[report for worker, report in asked.items() if worker not in answered],
    )


def living(log: ControlLog) -> list[WorkerReport]:
    """Reports of workers that were heard of lately."""
    oldest_ms = _now_ms() - SILENT_MS
    return [report for report in log.reports.values() if report.reported_at > oldest_ms]


async def _listen(
    reader: TailReader, offset: int, answered: dict[str, WorkerReport], until: Collection[str]
) -> None:
    """Gather the reports of workers that have heard of the order at ``offset``."""
    log = ControlLog()
    if not until:
        return
    async for records in reader.batches():
        for record in records:
            if record.offset > offset:
                log.apply(record)
        answered |= {worker: report for worker, report in log.reports.items() if report.heard >= offset}
        if answered.keys() >= set(until):
            return


async def _write(settings: Settings, records: Sequence[OutRecord]) -> int:
    sender = BatchProducer(settings.kafka)
    try:
        await sender.start()
        return await sender.send(settings.topics.control, PARTITION, records)
    finally:
        await sender.stop()


def _checked(settings: Settings, model: str) -> ModelReference:
    return load(bundle_path(Path(settings.model.dir), model), Loading.by(settings.model)).reference


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
