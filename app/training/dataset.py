"""Reads a history as matrices: one row of features per transaction, as a worker would have computed it, with its label.

Only selected rows are kept, since a history may be far larger than memory.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.adapters.tabular.batches import Encoded, TransactionBatch, encoded
from app.adapters.tabular.files import read_batches
from app.computation.feature_set import FeatureSet
from app.domain.identifiers import digest64
from app.errors import InvalidFile
from app.features.columns import digests
from app.features.window import DAY_MS
from app.history.feature_fold import FeatureFold
from app.history.fold_history import FoldedBatch, HistorySource, fold_history
from app.scoring.model import Rows, Scores
from app.training.labelling import Labelling
from app.training.scored_dataset import Flags, Integers, ScoredDataset

Progress = Callable[[int], None]


class Dataset(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Columns of equal length, in file order."""

    rows: Rows
    frauds: Flags
    event_times: Integers
    amounts_minor: Integers
    customers: Integers
    """Customers as numbers, the same in all datasets of one reading."""
    patterns: Integers
    """Indexes of ``pattern_names``; 0 for none."""
    transactions: Integers
    """Digests of transaction ids; 0 without a file of labels."""
    features: FeatureSet
    """The columns of ``rows``."""
    pattern_names: tuple[str, ...] = ("",)

    def __len__(self) -> int:
        return len(self.frauds)

    def where(self, chosen: Flags | Integers) -> "Dataset":
        return msgspec.structs.replace(
            self, **{name: getattr(self, name)[chosen] for name in self.__struct_fields__[:-2]}
        )

    def as_known(self, labelling: Labelling | None, at_ms: int) -> "Dataset":
        """Return the dataset with the labels known at ``at_ms``; unchanged if the history has its own column of labels."""
        if labelling is None:
            return self
        return msgspec.structs.replace(self, frauds=labelling.frauds(self.transactions, at_ms))

    @property
    def days(self) -> Integers:
        """Days since the epoch, UTC."""
        return self.event_times // DAY_MS

    def with_scores(self, scores: Scores) -> ScoredDataset:
        """Return these transactions with the scores of a model."""
        return ScoredDataset(
            scores=scores,
            frauds=self.frauds,
            event_times=self.event_times,
            customers=self.customers,
            amounts_minor=self.amounts_minor,
            patterns=self.patterns,
            pattern_names=self.pattern_names,
        )


Keep = Callable[[Dataset], Flags]
"""Selects rows to keep; called batch by batch, in file order."""


class Numbers:
    """Assigns numbers to texts, in the order of their first occurrence."""

    def __init__(self, *texts: str) -> None:
        following = count()
        self._numbers = {text: next(following) for text in texts}

    def of(self, column: Encoded) -> Integers:
        numbers = [self._numbers.setdefault(text, len(self._numbers)) for text in column.texts]
        return np.array(numbers, dtype=np.int64)[column.codes]

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(self._numbers)


def event_span(source: HistorySource) -> tuple[int, int]:
    """Return the times of the first and the last event, in ms. Raises InvalidFile if there is none."""
    spans = [
        (batch.event_time.min(), batch.event_time.max())
        for batch in read_batches(source.path, source.mapping)
    ]
    if not spans:
        raise InvalidFile(f"{source.path} holds no transactions")
    return int(min(first for first, _ in spans)), int(max(last for _, last in spans))


def read_parts(source: HistorySource, fold: FeatureFold, on_progress: Progress) -> Iterator[Dataset]:
    """Fold a labelled history and yield it batch by batch. Raises InvalidFile without labels or rows."""
    customers, patterns, read = Numbers(), Numbers(""), 0
    labelling = labelling_of(source)
    for part in fold_history(source, fold):
        yield _dataset(part, source, labelling, (customers, patterns))
        read += len(part.batch)
        on_progress(read)
    if not read:
        raise InvalidFile(f"{source.path} holds no transactions")


def read_datasets(
    source: HistorySource, fold: FeatureFold, keeps: Sequence[Keep], on_progress: Progress = lambda _: None
) -> list[Dataset]:
    """Fold a labelled history and return a dataset for each of ``keeps``. Raises as ``read_parts``."""
    kept: list[list[Dataset]] = [[] for _ in keeps]
    for part in read_parts(source, fold, on_progress):
        for found, keep in zip(kept, keeps, strict=True):
            found.append(part.where(keep(part)))
    return [_joined(parts) for parts in kept]


def read_dataset(source: HistorySource, fold: FeatureFold, on_progress: Progress) -> Dataset:
    """Fold a labelled history and return all its rows."""
    return read_datasets(source, fold, [lambda part: np.ones(len(part), np.bool_)], on_progress)[0]


def labelling_of(source: HistorySource) -> Labelling | None:
    """Return the labels of a separate file; None if the history has its own column of labels."""
    return None if source.labels is None else Labelling(source.labels, source)


def labels(
    batch: TransactionBatch, source: HistorySource, labelling: Labelling | None
) -> tuple[Flags, Integers]:
    """Return the final labels, and the digests of transaction ids. Raises InvalidFile if no file has labels."""
    if labelling is not None:
        transactions = digests(map(digest64, batch.transaction_id.to_pylist()))
        return labelling.frauds(transactions), transactions
    if batch.is_fraud is None:
        raise InvalidFile(
            f"{source.path} has no labels: a column for is_fraud, a mapping that names it, or --labels FILE"
        )
    return batch.is_fraud, np.zeros(len(batch), dtype=np.int64)


def pattern_numbers(batch: TransactionBatch, patterns: Numbers) -> Integers:
    if batch.fraud_pattern is None:
        return np.zeros(len(batch), dtype=np.int64)
    return patterns.of(encoded(batch.fraud_pattern.fill_null("")))


def _dataset(
    part: FoldedBatch, source: HistorySource, labelling: Labelling | None, numbers: tuple[Numbers, Numbers]
) -> Dataset:
    batch, applied, (customers, patterns) = part.batch, part.applied, numbers
    frauds, transactions = labels(batch, source, labelling)
    return Dataset(
        rows=part.rows,
        features=part.features,
        frauds=frauds[applied],
        event_times=batch.event_time[applied],
        amounts_minor=batch.amount_minor[applied],
        customers=customers.of(batch.customer_id)[applied],
        patterns=pattern_numbers(batch, patterns)[applied],
        transactions=transactions[applied],
        pattern_names=patterns.texts,
    )


def _joined(parts: list[Dataset]) -> Dataset:
    """Join parts to one dataset. Empties the list on the way, so that the rows are in memory about once."""
    small = Dataset.__struct_fields__[1:-2]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in small
    }
    features, pattern_names, at = parts[-1].features, parts[-1].pattern_names, 0
    rows: NDArray[np.float64] = np.empty((len(columns["frauds"]), features.width))
    parts.reverse()
    while parts:
        part = parts.pop()
        rows[at : at + len(part)] = part.rows
        at += len(part)
    return Dataset(rows=rows, features=features, pattern_names=pattern_names, **columns)
