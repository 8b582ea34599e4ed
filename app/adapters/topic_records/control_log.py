"""The current content of the control topic: the orders in force and the reports of the workers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
import structlog

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.records import OutRecord
from app.adapters.kafka.tail_reader import TailReader, open_tail_reader
from app.domain.control import (
    CANARY_KEY,
    CHALLENGERS_KEY,
    CHAMPION_KEY,
    SKIP_PREFIX,
    WORKER_PREFIX,
    CanaryOrder,
    ChallengersOrder,
    ModelOrder,
    Orders,
    SkipOrder,
    WorkerReport,
    skip_key,
    worker_key,
)
from app.settings import Settings

PARTITION = 0

_log = structlog.get_logger("control")

_Value = TypeVar("_Value")
_ORDERS: dict[bytes, type[ModelOrder | ChallengersOrder | CanaryOrder]] = {
    CHAMPION_KEY: ModelOrder,
    CHALLENGERS_KEY: ChallengersOrder,
    CANARY_KEY: CanaryOrder,
}


class ControlLog:
    """The newest record of each key, read in order of offset. A record that cannot be decoded is logged and ignored."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.reports: dict[str, WorkerReport] = {}
        self.skips: dict[bytes, SkipOrder] = {}

    def apply(self, record: Any) -> bool:
        """Add a record; True when it gives or withdraws an order."""
        if record.key in _ORDERS:
            return self._order(record)
        if record.key and record.key.startswith(WORKER_PREFIX):
            self._report(record)
        if (record.key or b"").startswith(SKIP_PREFIX) and (skip := _decoded(record, SkipOrder)):
            self.skips[record.key] = skip
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


@asynccontextmanager
async def open_control_reader(settings: Settings) -> AsyncIterator[TailReader]:
    """A reader of the control topic from its beginning."""
    async with open_tail_reader(settings.kafka, [settings.topics.control], from_beginning=True) as reader:
        yield reader


async def read_control_log(settings: Settings) -> ControlLog:
    """Read the control topic up to its present end. Raises ConfigurationError when it does not exist."""
    async with open_control_reader(settings) as reader:
        return await read_to_end(reader)


async def read_to_end(reader: TailReader) -> ControlLog:
    """Read all records up to the present end; superseded orders have no effect. Later records remain to be read."""
    log = ControlLog()
    async for record in reader.until(await reader.ends()):
        log.apply(record)
    return log


def order_record(order: ModelOrder | ChallengersOrder | CanaryOrder) -> OutRecord:
    """The record that gives an order to all workers."""
    key = next(key for key, kind in _ORDERS.items() if isinstance(order, kind))
    return OutRecord(key, msgspec.json.encode(order))


def skip_record(order: SkipOrder) -> OutRecord:
    """The record that orders every consumer group to leave records out."""
    return OutRecord(skip_key(order), msgspec.json.encode(order))


def withdrawal_record(key: bytes) -> OutRecord:
    """The tombstone that withdraws the order under ``key``."""
    return OutRecord(key, None)


def report_record(report: WorkerReport) -> OutRecord:
    """The record of a worker's report; it replaces the worker's previous one."""
    return OutRecord(worker_key(report.worker), msgspec.json.encode(report))


def farewell_record(worker: str) -> OutRecord:
    """The tombstone that a worker writes when it stops in order: its report is removed."""
    return OutRecord(worker_key(worker), None)


def _decoded(record: Any, kind: type[_Value]) -> _Value | None:
    try:
        return BoundedDecoder(kind).decode(record.value or b"")
    except (msgspec.MsgspecError, ValueError) as error:
        _log.error("control_record_unreadable", offset=record.offset, error=str(error))
        return None
