"""The orders that were ever given, with who gave them and why, on the topic of orders."""

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.records import OutRecord, Record
from app.adapters.serde.json_codec import decode_as
from app.adapters.topic_records.bounded_reports import too_long
from app.adapters.topic_records.control_reader import open_control_reader
from app.adapters.topic_records.order_signatures import OrderCheck
from app.domain.control import SKIP_PREFIX, SkipOrder
from app.domain.orders.past_order import HISTORY_PREFIX, PastOrder, history_key
from app.errors import ConfigurationError, InvalidEvent
from app.settings import Settings

_log = structlog.get_logger("control")
_past = BoundedDecoder(PastOrder)
_skip = BoundedDecoder(SkipOrder)


def past_record(order: PastOrder, unique: str) -> OutRecord:
    """The record that keeps an order. Raises ConfigurationError for one that its readers would refuse."""
    value = msgspec.json.encode(order)
    try:
        msgspec.json.decode(value, type=PastOrder)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"This order would be refused: {error}") from error
    return OutRecord(history_key(order, unique), value)


async def read_history(settings: Settings, key: Ed25519PrivateKey | None = None) -> list[PastOrder]:
    """All orders that were given, the oldest first; those that are not signed as required are left out and logged.

    Orders to leave unreadable records out are among them. Raises as ``open_control_reader``.
    """
    async with open_control_reader(settings, key, reports=False) as reader:
        found = [past_order(record, reader.check) async for record in reader.until_end()]
    return sorted(filter(None, found), key=lambda order: order.ordered_at)


def past_order(record: Record, check: OrderCheck) -> PastOrder | None:
    """The order in a record; None for records of other kinds, and for those that are refused."""
    record_key = record.key or b""
    if record.value is None or not record_key.startswith((HISTORY_PREFIX, SKIP_PREFIX)):
        return None
    why = too_long(record) or check(record)
    try:
        if not why and record_key.startswith(SKIP_PREFIX):
            return _of_skip(decode_as(_skip, record.value))
        if not why:
            return decode_as(_past, record.value)
    except InvalidEvent as error:
        why = error.detail
    _log.error("past_order_refused", offset=record.offset, reason=why)
    return None


def _of_skip(order: SkipOrder) -> PastOrder:
    return PastOrder(
        key=f"skip {order.topic} {order.partition} {order.offset}",
        order=msgspec.to_builtins(order),
        ordered_by=order.ordered_by,
        reason=order.reason,
        ordered_at=order.ordered_at,
    )
