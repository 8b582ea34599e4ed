"""The events with their number as transaction id, by which decisions and alerts are matched."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from app.domain.transaction import Transaction
from bench.data.events import events

_PREFIX = "bench-"
_DIGITS = 9
_MARK = b'"transaction_id":"' + _PREFIX.encode()


def numbered(first: int, count: int) -> Iterator[Transaction]:
    """Yield ``count`` events from number ``first`` on."""
    for number, event in enumerate(islice(events(first + count), first, None), start=first):
        yield msgspec.structs.replace(event, transaction_id=f"{_PREFIX}{number:0{_DIGITS}}")


def number_of(value: bytes) -> int:
    """Extract the number from a transaction, decision or alert without decoding it. Raises ValueError if there is none."""
    at = value.index(_MARK) + len(_MARK)
    return int(value[at : at + _DIGITS])
