"""The events with their number in the stream as transaction id, so that whatever comes back can be matched."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from app.domain.transaction import Transaction
from bench.data.events import events

_PREFIX = "bench-"
_DIGITS = 9
_MARK = b'"transaction_id":"' + _PREFIX.encode()


def numbered(first: int, count: int) -> Iterator[Transaction]:
    """``count`` events of the stream from number ``first`` on."""
    for number, event in enumerate(islice(events(first + count), first, None), start=first):
        yield msgspec.structs.replace(event, transaction_id=f"{_PREFIX}{number:0{_DIGITS}}")


def number_of(value: bytes) -> int:
    """The number in a transaction, a decision or an alert, without decoding it. Raises ValueError if there is none."""
    at = value.index(_MARK) + len(_MARK)
    return int(value[at : at + _DIGITS])
