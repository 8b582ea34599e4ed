"""The control topic as it stands: the orders in force and the workers' reports."""

from typing import Any, TypeVar

import msgspec
import structlog

from app.adapters.kafka.records import OutRecord
from app.domain.control import (
    CANARY_KEY,
    CHALLENGERS_KEY,
    CHAMPION_KEY,
    WORKER_PREFIX,
    CanaryOrder,
    ChallengersOrder,
    ModelOrder,
    Orders,
    WorkerReport,
    worker_key,
)

PARTITION = 0

_log = structlog.get_logger("control")

_Value = TypeVar("_Value")
_ORDERS: dict[bytes, type[ModelOrder | ChallengersOrder | CanaryOrder]] = {
    CHAMPION_KEY: ModelOrder,
    CHALLENGERS_KEY: ChallengersOrder,
    CANARY_KEY: CanaryOrder,
}


class ControlLog:
    """Folds the topic's records in order of offset. What cannot be read is logged and changes nothing."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.reports: dict[str, WorkerReport] = {}

    def apply(self, record: Any) -> bool:
        """Take the record over; True when it is about an order."""
        if record.key in _ORDERS:
            return self._order(record)
        if record.key and record.key.startswith(WORKER_PREFIX):
            self._report(record)
        return False

    def _order(self, record: Any) -> bool:
        order = None
        if record.value is not None:
            order = _decoded(record, _ORDERS[record.key])
            if order is None:
                return False
        self.orders = self.orders._replace(**{record.key.decode(): order, "heard": record.offset})
        return True

    def _report(self, record: Any) -> None:
        worker = record.key.removeprefix(WORKER_PREFIX).decode(errors="replace")
        if record.value is None:
            self.reports.pop(worker, None)
        elif report := _decoded(record, WorkerReport):
            self.reports[worker] = report


def order_record(order: ModelOrder | ChallengersOrder | CanaryOrder) -> OutRecord:
    key = next(key for key, kind in _ORDERS.items() if isinstance(order, kind))
    return OutRecord(key, msgspec.json.encode(order))


def withdrawal_record(key: bytes) -> OutRecord:
    """No order of this kind is in force any more."""
    return OutRecord(key, None)


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
