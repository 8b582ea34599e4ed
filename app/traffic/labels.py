"""Makes label records from a labelled history, as if each fraud was reported a fixed time after its transaction."""

from collections.abc import Iterable, Iterator

from app.adapters.serde.json_codec import encode_event
from app.adapters.tabular.batches import TransactionBatch
from app.domain.label import Label, LabelSource
from app.domain.transaction import Transaction
from app.errors import InvalidFile
from app.traffic.produce import Record


def labels(batches: Iterable[TransactionBatch], delay_ms: int, now_ms: int) -> Iterator[Label]:
    """Yield a label for each fraud reported by ``now_ms``. Raises InvalidFile when the column is_fraud is missing.

    Legitimate transactions need no label: they count as legitimate without one.
    """
    for batch in batches:
        if batch.is_fraud is None:
            raise InvalidFile("the file has no column `is_fraud`: its transactions are not labelled")
        for transaction, is_fraud in zip(batch.transactions(), batch.is_fraud.tolist(), strict=True):
            if is_fraud and transaction.event_time + delay_ms <= now_ms:
                yield label(transaction, transaction.event_time + delay_ms)


def label(transaction: Transaction, reported_at: int) -> Label:
    """Return a chargeback for a transaction. ``reported_at`` is in milliseconds since the epoch."""
    return Label(
        transaction_id=transaction.transaction_id,
        customer_id=transaction.customer_id,
        terminal_id=transaction.terminal_id,
        event_time=transaction.event_time,
        is_fraud=True,
        source=LabelSource.CHARGEBACK,
        reported_at=reported_at,
        device_id=transaction.device_id,
        card_token=transaction.card_token,
    )


def record(given: Label) -> Record:
    """Return key and value of the record."""
    return given.terminal_id.encode(), encode_event(given)
