"""The operator's side of the control topic: orders are checked, written, and answered by the workers' reports."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.adapters.kafka.records import OutRecord
from app.adapters.models.aliases import bundle_path
from app.adapters.models.bundles import champion, load
from app.adapters.models.loading import Loading
from app.adapters.topic_records.control_log import ControlLog, order_record, withdrawal_record
from app.adapters.topic_records.control_reader import ControlReader, open_control_reader
from app.adapters.topic_records.order_sending import send_orders
from app.domain.control import (
    CANARY_KEY,
    SILENT_MS,
    CanaryBounds,
    CanaryOrder,
    ChallengersOrder,
    ModelOrder,
    OrderRefusal,
    WorkerReport,
)
from app.domain.decision import ModelReference
from app.errors import ConfigurationError
from app.settings import Settings


class OrderAnswers(NamedTuple):
    """The reports of the workers that answered an order, and the last reports of those that did not."""

    reports: list[WorkerReport]
    silent: list[WorkerReport]
    offsets: range = range(0)
    """Of the records of the order."""

    def unanimous(self, refused: Callable[[WorkerReport], bool]) -> bool:
        """True if every worker answered and none refused."""
        return not self.silent and not any(
            refused(report) or refuses_record(report, self.offsets) for report in self.reports
        )


def refuses_record(report: WorkerReport, offsets: range) -> bool:
    """True if the worker does not follow the order with these offsets, for example because it is not signed."""
    refused = report.order_refused
    return isinstance(refused, OrderRefusal) and refused.offset in offsets and report.heard < offsets[-1]


def refuses_champion(report: WorkerReport) -> bool:
    """True if the worker refused the ordered champion."""
    return report.refused is not None


def refuses_challenger(report: WorkerReport) -> bool:
    """True if the worker refused a challenger."""
    return any(challenger.refused for challenger in report.challengers)


def refuses_canary(report: WorkerReport) -> bool:
    """True if the worker refused the canary."""
    return report.canary is not None and bool(report.canary.refused)


def promotion(settings: Settings, model: str, log: ControlLog) -> ModelOrder:
    """The order that makes ``model`` the champion. The bundle is loaded and checked first; raises ModelRejected."""
    models_dir, loading = Path(settings.model.dir), Loading.by(settings.model, settings.catalog.file)
    reference = _checked(settings, model)
    current = log.orders.champion
    if current is None:
        previous = champion(models_dir, "", loading).reference
    else:  # ordered twice, a model must not become its own predecessor: a rollback would change nothing
        previous = current.model if current.model != reference else current.previous or reference
    return ModelOrder(model=reference, previous=previous, ordered_at=_now_ms())


def rollback(log: ControlLog) -> ModelOrder:
    """The order that restores the champion before the last order. Raises ConfigurationError when there is none."""
    current = log.orders.champion
    if current is None or current.previous is None:
        raise ConfigurationError(
            "No order is in force that could be rolled back. Give one with `fraudstream model promote NAME/VERSION`."
        )
    return ModelOrder(model=current.previous, previous=current.model, ordered_at=_now_ms())


def challenge(settings: Settings, models: Sequence[str]) -> ChallengersOrder:
    """The order that scores ``models`` in shadow. The bundles are loaded and checked first; raises ModelRejected."""
    return ChallengersOrder(models=[_checked(settings, model) for model in models], ordered_at=_now_ms())


def canary(settings: Settings, model: str, share: float, bounds: CanaryBounds) -> CanaryOrder:
    """The order that lets ``model`` decide for a share of the customers, 0 to 1.

    The bundle is loaded and checked first; raises ModelRejected.
    """
    return CanaryOrder(model=_checked(settings, model), share=share, bounds=bounds, ordered_at=_now_ms())


def usual_alert_rate(settings: Settings, model: str) -> float:
    """The share of transactions that ``model`` flagged for review in its evaluation, 0 to 1.

    Raises ConfigurationError if its manifest does not contain it.
    """
    rate = load(
        bundle_path(Path(settings.model.dir), model), Loading.by(settings.model, settings.catalog.file)
    ).manifest.metrics.get("review_share")
    if not rate:
        raise ConfigurationError(f"The manifest of {model} contains no review_share. Give --max-alert-rate.")
    return rate


def champion_records(order: ModelOrder) -> list[OutRecord]:
    """The order, after the end of a running canary: its bounds were chosen for another champion."""
    return [withdrawal_record(CANARY_KEY), order_record(order)]


async def send_and_await_answers(
    settings: Settings,
    records: Sequence[OutRecord],
    wait_seconds: float,
    key: Ed25519PrivateKey | None = None,
) -> OrderAnswers:
    """Write orders, signed if ``key`` is given, and collect the answers of the workers, for at most ``wait_seconds``."""
    async with open_control_reader(settings, key) as reader:
        log = await reader.read_to_end()
        expected = {report.worker: report for report in recent_reports(log)}
        last = await send_orders(settings, records, key)
        offsets = range(last - len(records) + 1, last + 1)
        answered: dict[str, WorkerReport] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await _collect_answers(reader, offsets, answered, until=expected.keys())
    return OrderAnswers(
        reports=list(answered.values()),
        silent=[report for worker, report in expected.items() if worker not in answered],
        offsets=offsets,
    )


def recent_reports(log: ControlLog) -> list[WorkerReport]:
    """The reports of workers that reported within the last SILENT_MS milliseconds."""
    oldest_ms = _now_ms() - SILENT_MS
    return [report for report in log.reports.values() if report.reported_at > oldest_ms]


async def _collect_answers(
    reader: ControlReader, offsets: range, answered: dict[str, WorkerReport], until: Collection[str]
) -> None:
    """Collect the reports of workers that have followed or refused the order, until all of ``until`` have."""
    log = reader.new_log()
    if not until:
        return
    async for records in reader.batches():
        for record in records:
            reader.apply(log, record)
        answered |= {
            worker: report
            for worker, report in log.reports.items()
            if report.heard >= offsets[-1] or refuses_record(report, offsets)
        }
        if answered.keys() >= set(until):
            return


def _checked(settings: Settings, model: str) -> ModelReference:
    return load(
        bundle_path(Path(settings.model.dir), model), Loading.by(settings.model, settings.catalog.file)
    ).reference


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
