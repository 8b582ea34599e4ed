"""The control topic as it stands: an order, if there is one, and the workers' reports."""

from typing import Any, TypeVar

import msgspec
import structlog

from app.adapters.kafka_sender import OutRecord
from app.domain.control import CHAMPION_KEY, WORKER_PREFIX, ModelOrder, WorkerReport, worker_key

PARTITION = 0

_log = structlog.get_logger("control")

_Value = TypeVar("_Value")


class ControlLog:
    """Folds the topic's records in order of offset. What cannot be read is logged and changes nothing."""

    def __init__(self) -> None:
        self.order: ModelOrder | None = None
        self.reports: dict[str, WorkerReport] = {}

    def apply(self, record: Any) -> bool:
        """Take the record over; True when it is about the order."""
        if record.key == CHAMPION_KEY:
            return self._order(record)
        if record.key and record.key.startswith(WORKER_PREFIX):
            self._report(record)
        return False

    def _order(self, record: Any) -> bool:
        if record.value is None:
            self.order = None
            return True
        order = _decoded(record, ModelOrder)
        if order is None:
            return False
        self.order = order
        return True

    def _report(self, record: Any) -> None:
        worker = record.key.removeprefix(WORKER_PREFIX).decode(errors="replace")
        if record.value is None:
            self.reports.pop(worker, None)
        elif report := _decoded(record, WorkerReport):
            self.reports[worker] = report


def order_record(order: ModelOrder | None) -> OutRecord:
    """None withdraws the order in force."""
    return OutRecord(CHAMPION_KEY, None if order is None else msgspec.json.encode(order))


def report_record(report: WorkerReport) -> OutRecord:
    return OutRecord(worker_key(report.worker), msgspec.json.encode(report))


def farewell_record(worker: str) -> OutRecord:
    """A worker that ends in order takes its report with it."""
    return OutRecord(worker_key(worker), None)


def _decoded(record: Any, kind: type[_Value]) -> _Value | None:
    try:
        return msgspec.json.decode(record.value, type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        _log.error("control_record_unreadable", offset=record.offset, error=str(error))
        return None
