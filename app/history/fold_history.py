"""Folds a file of transactions in file order: the features of each row as a worker would compute them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.adapters.column_mapping import ColumnMapping
from app.adapters.tabular.batches import Encoded, TransactionBatch
from app.adapters.tabular.files import read_batches
from app.adapters.tabular.positions import position
from app.adapters.tabular.remedies import for_refused_time
from app.adapters.tabular.row_order import OrderRule, RowOrder, in_order
from app.computation.feature_set import FeatureSet
from app.domain.acceptance import TEXT_FIELDS, Acceptance
from app.domain.card_evidence import CardEvidence
from app.domain.transaction import Transaction
from app.errors import CardNumbersFound, InvalidEvent, InvalidFile, InvalidReason
from app.features.fold import APPLIED, Doubles, Folded, Integers
from app.features.window import DAY_MS
from app.history.entity_history import EntityHistory
from app.history.feature_fold import FeatureFold
from app.history.labels import PendingLabels, labels_of, read_labels
from app.history.prefetch import prefetch
from app.scoring.model import Rows

_MAYBE_A_CARD = "(?:[0-9][ -]?){13}"
"""Matches every card number and little else; the exact rule is ``Acceptance``."""


class HistorySource(msgspec.Struct, frozen=True, kw_only=True):
    """A file of transactions and the rules for its rows."""

    path: Path
    mapping: ColumnMapping
    acceptance: Acceptance
    now_ms: int
    """Start of the command in ms since the epoch; event times much later are refused."""
    labels: Path | None = None
    """A file of labels (``labels.py``); None uses the label column of the transactions, where there is one."""
    label_delay_ms: int = 7 * DAY_MS
    """Delay between a transaction and its label, for labels from the column of the transactions."""
    order: OrderRule = OrderRule()


class FoldedBatch(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Consecutive rows of a history with their features."""

    batch: TransactionBatch
    folded: Folded
    applied: Integers
    """Indexes of the rows that changed the profiles of their customers, in file order; the others are repeats."""
    delayed: Doubles
    """Features of the delayed entities, shape (applied, delayed features)."""
    fold: FeatureFold

    @property
    def features(self) -> FeatureSet:
        """The columns of ``rows``."""
        return self.fold.computation.features

    @property
    def rows(self) -> Rows:
        """The input of a model, shape (applied, features)."""
        return self.fold.computation.rows(self.folded, self.applied, self.delayed)

    @property
    def repeats(self) -> int:
        return len(self.batch) - len(self.applied)


def fold_history(source: HistorySource, fold: FeatureFold) -> Iterator[FoldedBatch]:
    """Fold the file, batch by batch. Raises InvalidFile at the first invalid row.

    Three stages run at the same time on consecutive batches: reading, folding of profiles, folding of entities.
    """
    of = fold.computation.entities
    entities, fields = EntityHistory(of), [entity.field for entity in of]
    pending = PendingLabels(len(fields))
    if source.labels:
        pending.add(read_labels(source.labels, source.acceptance, source.now_ms, fields))
    for batch, transaction, folded in prefetch(_folded(source, fold)):
        applied = np.flatnonzero(folded.status == APPLIED)
        if not source.labels and batch.is_fraud is not None:
            frauds = applied[batch.is_fraud[applied]]
            pending.add(labels_of(batch, frauds, transaction[frauds], source.label_delay_ms, fields))
        delayed = entities.fold(batch, applied, transaction[applied], pending.due(batch.event_time))
        yield FoldedBatch(batch=batch, folded=folded, applied=applied, delayed=delayed, fold=fold)


def _folded(source: HistorySource, fold: FeatureFold) -> Iterator[tuple[TransactionBatch, Integers, Folded]]:
    batches = read_batches(source.path, source.mapping, sort=source.order.order is RowOrder.SORTED)
    evidence = CardEvidence(source.acceptance.numeric_ids)
    # Acceptance first: one time in another unit would make every row after it go back.
    accepted = in_order(map(partial(_accepted, source, evidence), batches), source.path, source.order)
    for batch, columns in prefetch((batch, fold.prepare(batch)) for batch in accepted):
        yield batch, columns.transaction, fold.fold(batch, columns)


def _accepted(source: HistorySource, evidence: CardEvidence, batch: TransactionBatch) -> TransactionBatch:
    """The same batch. Raises InvalidFile at the first row that the stream would reject."""
    suspects = _suspects(batch, source)
    if suspects.any():
        _check_suspects(batch, suspects, source, evidence)
    return batch


def _suspects(batch: TransactionBatch, source: HistorySource) -> NDArray[np.bool_]:
    """Rows that may be refused: a fast superset of the rows that ``Acceptance`` refuses, shape (rows,)."""
    acceptance, times = source.acceptance, batch.event_time
    suspects = times < acceptance.earliest_event_time_ms
    suspects |= times > source.now_ms + acceptance.max_future_ms
    for column in (*(getattr(batch, name) for name in TEXT_FIELDS), *_declared_texts(batch).values()):
        if isinstance(column, Encoded):
            suspects |= _maybe_cards(pa.array(column.texts, pa.string()))[column.codes]
        elif column is not None:
            suspects |= _maybe_cards(column)
    return suspects


def _declared_texts(batch: TransactionBatch) -> dict[str, pa.Array]:
    """The declared columns of text, by name."""
    return {name: column for name, column in batch.declared.items() if pa.types.is_string(column.type)}


def _maybe_cards(texts: pa.Array) -> NDArray[np.bool_]:
    found = pc.fill_null(pc.match_substring_regex(texts, _MAYBE_A_CARD), fill_value=False)
    return np.asarray(found.to_numpy(zero_copy_only=False))


def _check_suspects(
    batch: TransactionBatch, suspects: NDArray[np.bool_], source: HistorySource, evidence: CardEvidence
) -> None:
    """Apply the exact rule to the suspects, one transaction at a time. Raises InvalidFile at the first refusal."""
    for index, transaction in enumerate(batch.transactions()):
        if suspects[index]:
            try:
                source.acceptance.check(transaction, key=None, reference_ms=source.now_ms)
                for name, column in _declared_texts(batch).items():
                    source.acceptance.check_text(name, column[index].as_py() or "")
                evidence.add([transaction])
            except CardNumbersFound as error:
                raise InvalidFile(f"{source.path}: {error}", InvalidReason.CARD_NUMBER) from error
            except InvalidEvent as error:
                where = position(source.path, batch.row(index))
                remedy = _remedy(error, transaction, source)
                raise InvalidFile(f"{where}: {error.detail}{remedy}", error.reason) from error


def _remedy(error: InvalidEvent, transaction: Transaction, source: HistorySource) -> str:
    if error.reason is InvalidReason.CARD_NUMBER:
        return (
            "; a --mapping can make a keyed token of a card number ({ column = COLUMN, token = true }), and "
            "FRAUDSTREAM_ACCEPTANCE_NUMERIC_IDS names the fields whose values may be numbers"
        )
    if error.reason not in (InvalidReason.ABSURD_TIME, InvalidReason.FUTURE_TIME):
        return ""
    bounds_ms = source.acceptance.earliest_event_time_ms, source.now_ms
    return for_refused_time(transaction.event_time, source.mapping.unit_of_times, bounds_ms)
