"""The current content of the control topics: the orders in force, and the reports of the workers."""

from typing import Any, TypeVar

import msgspec
import structlog

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.records import OutRecord
from app.adapters.serde.json_codec import decode_as
from app.adapters.topic_records.bounded_reports import NewestByWorker, too_long
from app.adapters.topic_records.order_signatures import OrderCheck, any_order
from app.domain.bounded import cut
from app.domain.control import (
    CANARY_KEY,
    CHALLENGERS_KEY,
    CHAMPION_KEY,
    SKIP_PREFIX,
    STOP_PREFIX,
    WORKER_PREFIX,
    CanaryOrder,
    ChallengersOrder,
    ModelOrder,
    OrderRefusal,
    Orders,
    SkipOrder,
    WorkerReport,
    skip_key,
    stop_key,
    worker_key,
)
from app.domain.orders.policy_order import POLICY_KEY, PolicyOrder
from app.errors import ConfigurationError, InvalidEvent

PARTITION = 0
MOST_NAMED = 10
_SHOWN_KEY_BYTES = 100

_log = structlog.get_logger("control")

_Value = TypeVar("_Value")
_ORDERS: dict[bytes, type[ModelOrder | ChallengersOrder | CanaryOrder | PolicyOrder]] = {
    CHAMPION_KEY: ModelOrder,
    CHALLENGERS_KEY: ChallengersOrder,
    CANARY_KEY: CanaryOrder,
    POLICY_KEY: PolicyOrder,
}


class ControlLog:
    """The newest record of each key, read in order of offset.

    A record that ``check`` refuses, or that does not keep the contract, is counted and has no other effect.
    """

    def __init__(self, check: OrderCheck = any_order) -> None:
        self.skips: dict[bytes, SkipOrder] = {}
        self.refused = 0
        """Number of refused records. Only the first are logged: a writer could otherwise fill the log."""
        self.order_refused: OrderRefusal | None = None
        """The newest order among them."""
        self._check = check
        self._orders = Orders()
        self._stops = NewestByWorker[CanaryOrder]()
        self._reports = NewestByWorker[WorkerReport]()
        self._reports_among_orders = NewestByWorker[WorkerReport]()

    @property
    def orders(self) -> Orders:
        """The orders in force. The canary's is marked as stopped where a worker has reported that it stopped this one."""
        canary = self._orders.canary
        stops = [
            stop for stop in self._stops.values() if msgspec.structs.replace(stop, stopped=None) == canary
        ]
        return self._orders._replace(canary=stops[0]) if stops else self._orders

    @property
    def reports(self) -> dict[str, WorkerReport]:
        """The newest report of each worker."""
        found = self._reports_among_orders | self._reports
        for worker, report in self._reports_among_orders.items():
            found[worker] = max(report, found[worker], key=lambda one: one.reported_at)
        return found

    def apply(self, record: Any) -> bool:
        """Add a record of the topic of orders; True when it gives or withdraws an order for models or the policy."""
        key = record.key or b""
        if why := too_long(record):
            self._count(record, why)
        elif key.startswith(WORKER_PREFIX):
            self._report(self._reports_among_orders, record)
        elif key in _ORDERS:
            return self._order(record)
        elif (
            key.startswith(SKIP_PREFIX)
            and record.value is not None
            and (skip := self._obeyed(record, SkipOrder))
        ):
            self.skips[key] = skip
        return False

    def apply_report(self, record: Any) -> bool:
        """Add a record of the topic of reports; True when it stops a canary. An order is none here: workers may write it."""
        key = record.key or b""
        if why := too_long(record):
            self._count(record, why)
        elif key.startswith(WORKER_PREFIX):
            self._report(self._reports, record)
        elif key.startswith(STOP_PREFIX):
            return self._stop(record)
        elif key in _ORDERS or key.startswith(SKIP_PREFIX):
            self._count(record, "it is on the topic of the workers' reports")
        return False

    def _order(self, record: Any) -> bool:
        order = None
        if record.value is not None:
            order = self._obeyed(record, _ORDERS[record.key])
            if order is None:
                return False
        elif why := self._check(record):
            return self._refuse(record, why)
        self._orders = self._orders._replace(**{record.key.decode(): order, "heard": record.offset})
        return True

    def _obeyed(self, record: Any, kind: type[_Value]) -> _Value | None:
        """The order, unless it is refused."""
        if why := self._check(record):
            self._refuse(record, why)
            return None
        try:
            order = decode_as(BoundedDecoder(kind), record.value)
        except InvalidEvent as error:
            self._refuse(record, error.detail)
            return None
        if isinstance(order, SkipOrder) and skip_key(order) != record.key:
            self._refuse(record, "its key is not the one of its content")
            return None
        return order

    def _refuse(self, record: Any, why: str) -> bool:
        self.order_refused = OrderRefusal(key=_shown(record.key), offset=record.offset, reason=cut(why))
        return self._count(record, why)

    def _count(self, record: Any, why: str) -> bool:
        self.refused += 1
        if self.refused <= MOST_NAMED:
            _log.error("order_refused", key=_shown(record.key or b""), offset=record.offset, reason=why)
        return False

    def _stop(self, record: Any) -> bool:
        worker = record.key.removeprefix(STOP_PREFIX).decode(errors="replace")
        stop = None if record.value is None else self._decoded(record, CanaryOrder)
        if stop is None or stop.stopped is None:
            return False
        self._stops[worker] = stop
        return True

    def _report(self, reports: dict[str, WorkerReport], record: Any) -> None:
        worker = record.key.removeprefix(WORKER_PREFIX).decode(errors="replace")
        if record.value is None:
            reports.pop(worker, None)
        elif report := self._decoded(record, WorkerReport):
            if worker_key(report.worker) == record.key:
                reports[worker] = report
            else:
                self._count(record, "its key is not the one of its content")

    def _decoded(self, record: Any, kind: type[_Value]) -> _Value | None:
        try:
            return decode_as(BoundedDecoder(kind), record.value)
        except InvalidEvent as error:
            self._count(record, error.detail)
            return None


def order_record(order: ModelOrder | ChallengersOrder | CanaryOrder | PolicyOrder) -> OutRecord:
    """The record that gives an order to all workers. Raises ConfigurationError for one that they would refuse."""
    key = next(key for key, kind in _ORDERS.items() if isinstance(order, kind))
    return OutRecord(key, _checked(order))


def skip_record(order: SkipOrder) -> OutRecord:
    """The record that orders every consumer group to leave records out. Raises ConfigurationError as ``order_record``."""
    return OutRecord(skip_key(order), _checked(order))


def withdrawal_record(key: bytes) -> OutRecord:
    """The tombstone that withdraws the order under ``key``."""
    return OutRecord(key, None)


def stop_record(worker: str, order: CanaryOrder) -> OutRecord:
    """The record by which a worker reports that it has stopped this canary, so that the others stop it too."""
    return OutRecord(stop_key(worker), msgspec.json.encode(order))


def report_record(report: WorkerReport) -> OutRecord:
    """The record of a worker's report; it replaces the worker's previous one."""
    return OutRecord(worker_key(report.worker), msgspec.json.encode(report))


def farewell_record(worker: str) -> OutRecord:
    """The tombstone that a worker writes when it stops in order: its report is removed."""
    return OutRecord(worker_key(worker), None)


def _shown(key: bytes) -> str:
    """The key for display: cut, and with control characters escaped."""
    return repr(key[:_SHOWN_KEY_BYTES])[2:-1]


def _checked(order: msgspec.Struct) -> bytes:
    """The value of an order that keeps the contract."""
    value = msgspec.json.encode(order)
    try:
        msgspec.json.decode(value, type=type(order))
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"This order would be refused: {error}") from error
    return value
