"""Recognises the batches of aborted transactions in a fetched response: brokers return them, and name the transactions."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from aiokafka.record.control_record import ABORT_MARKER, ControlRecord

from app.adapters.kafka.record_batches.batch_cursor import PARSING


class Batch(Protocol):
    """A batch of records; those of aiokafka are ones."""

    @property
    def base_offset(self) -> int: ...

    @property
    def producer_id(self) -> int: ...

    @property
    def is_transactional(self) -> bool: ...

    @property
    def is_control_batch(self) -> bool: ...

    def __iter__(self) -> Iterator[Any]: ...


class AbortedTransactions:
    """The aborted transactions of one response: the producer id and the first offset of each.

    ``hides`` must be called with every batch of the response, in order. A transaction reaches from its first offset to
    the abort marker of its producer.
    """

    def __init__(self, transactions: Iterable[tuple[int, int]] = ()) -> None:
        self._later = sorted(transactions, key=lambda transaction: transaction[1], reverse=True)
        self._open: set[int] = set()

    def hides(self, batch: Batch) -> bool:
        """True for a batch whose records no reader may see: of an aborted transaction, or a transaction marker.

        Raises DamagedBatch for a marker that cannot be read.
        """
        while self._later and self._later[-1][1] <= batch.base_offset:
            self._open.add(self._later.pop()[0])
        if batch.is_control_batch:
            if _is_abort(batch):
                self._open.discard(batch.producer_id)
            return True
        return batch.is_transactional and batch.producer_id in self._open


def _is_abort(batch: Batch) -> bool:
    """Whether a marker ends an aborted transaction. Compaction leaves markers without a record, which end none."""
    with PARSING:
        marker = next(iter(batch), None)
        return marker is not None and ControlRecord.parse(marker.key) == ABORT_MARKER
