"""A file of transactions, folded in file order: what a worker would have known at each of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from app.adapters.batches import Batch
from app.adapters.files import read_batches
from app.adapters.mappings import ColumnMapping
from app.domain.acceptance import Acceptance
from app.errors import InvalidEvent, InvalidFile
from app.features.catalog import FEATURES, vector
from app.features.fold import Profiles
from app.scoring.model import Rows
from app.scoring.scorer import Scored

T = TypeVar("T")


class HistorySource(msgspec.Struct, frozen=True, kw_only=True):
    """A file and what its rows must satisfy."""

    path: Path
    mapping: ColumnMapping
    acceptance: Acceptance
    now_ms: int
    """The time that event times are held against: when the command started."""


class FoldedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Some consecutive rows of a history that changed their customers' profiles; the repeats are left out."""

    scored: list[Scored]
    """In file order; ``offset`` is the row in the file, from 1."""
    repeats: int
    frauds: list[bool] | None
    """Labels of ``scored``; None where the file has none."""
    patterns: list[str | None] | None

    def rows(self) -> Rows:
        """The model's input."""
        return np.array([event.values for event in self.scored], dtype=np.float64).reshape(-1, len(FEATURES))


def fold_history(source: HistorySource, profiles: Profiles) -> Iterator[FoldedBatch]:
    """Fold the file into ``profiles``, batch by batch. Raises InvalidFile at the first row that is out of contract."""
    for batch in read_batches(source.path, source.mapping):
        yield _fold(batch, source, profiles)


def _fold(batch: Batch, source: HistorySource, profiles: Profiles) -> FoldedBatch:
    scored: list[Scored] = []
    check, now_ms, observe = source.acceptance.check, source.now_ms, profiles.observe
    row = batch.first_row - 1
    try:
        for transaction in batch.transactions():
            row += 1
            check(transaction, key=None, reference_ms=now_ms)
            seen = observe(transaction)
            if seen is not None:
                scored.append(Scored(transaction, seen, vector(transaction, seen), row))
    except InvalidEvent as error:
        raise InvalidFile(f"{source.path}, row {row}: {error.detail}") from error
    return FoldedBatch(
        scored=scored,
        repeats=len(batch) - len(scored),
        frauds=_kept(_listed(batch.is_fraud), scored, batch.first_row),
        patterns=_kept(_listed(batch.fraud_pattern), scored, batch.first_row),
    )


def _kept(column: list[T] | None, scored: list[Scored], first_row: int) -> list[T] | None:
    if column is None or len(column) == len(scored):
        return column
    return [column[event.offset - first_row] for event in scored]


def _listed(column: Any) -> list[Any] | None:
    return None if column is None else column.tolist()
