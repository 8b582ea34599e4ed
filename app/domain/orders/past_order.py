"""An order as it is kept for ever on ``fraud.control.v1``, with who gave it and why.

The topic is compacted, so that of the orders in force only the newest of each key remains. A past order has a key of its own.
"""

from typing import Any

import msgspec

from app.domain.bounded import Moment, Name, Text

HISTORY_PREFIX = b"history/"


class PastOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The record of an order that was given; it has no effect on workers."""

    key: Text
    """Key of the order: ``champion``, ``challengers``, ``canary``."""
    order: dict[str, Any] | None
    """The order as it was given; null where it was withdrawn."""
    ordered_by: Name
    reason: Text
    ordered_at: Moment


def history_key(order: PastOrder, unique: str) -> bytes:
    """The key of its record, in the order of time. ``unique`` tells two orders of one millisecond apart."""
    return HISTORY_PREFIX + f"{order.ordered_at:015}/{unique}/{order.key}".encode()
