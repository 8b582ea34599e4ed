"""The labels of a history and the times of their reports, from a file of labels or from the history's own column.

A file has the columns of ``fraud.labels.v1``: transaction_id, the fields of the delayed entities (customer_id,
terminal_id), event_time, is_fraud and reported_at; times are milliseconds or timestamps. It is held in memory.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.adapters.column_mapping import REQUIRED_FIELDS
from app.adapters.tabular.batches import TransactionBatch
from app.adapters.tabular.column import Column, plain
from app.adapters.tabular.decoding import column_decoders
from app.adapters.tabular.decoding.time_columns import event_times
from app.adapters.tabular.files import read_rows
from app.adapters.tabular.wanted_columns import WantedColumns
from app.domain.acceptance import Acceptance
from app.domain.identifiers import digest64
from app.errors import InvalidFile
from app.features.columns import digests
from app.features.entities import ENTITIES
from app.features.facts import Integers

_TIMES = ("event_time", "reported_at")
OF_THE_RELEASE = tuple(entity.field for entity in ENTITIES)
"""The fields of the delayed entities of this release."""


class Labels(NamedTuple):
    """Labels as columns of equal length."""

    transaction: Integers
    """Digests of the transaction ids."""
    time_ms: Integers
    """Event times of the transactions."""
    reported_ms: Integers
    is_fraud: NDArray[np.bool_]
    values: NDArray[Any]
    """Ids of the delayed entities as text, shape (entities, labels); None where a label has none."""

    def take(self, which: Any) -> "Labels":
        """The labels at these positions: an index array or a slice."""
        return Labels._make(column[..., which] for column in self)


class DueLabels(NamedTuple):
    """Labels to fold before given rows, in order of report."""

    labels: Labels
    rows: Integers
    """For each label the index of the first row that comes after its report."""


class PendingLabels:
    """Labels whose report is after every row so far."""

    def __init__(self, entities: int) -> None:
        self._waiting = _none(entities)
        self._newest_ms = 0

    def add(self, labels: Labels) -> None:
        """Add labels. Of labels reported at the same time the one added last is folded last and counts."""
        both = _concatenated([self._waiting, labels])
        self._waiting = both.take(np.argsort(both.reported_ms, kind="stable"))

    def due(self, times_ms: Integers) -> DueLabels:
        """Remove and return the labels reported up to the newest event time of these rows."""
        reached = np.maximum.accumulate(np.maximum(times_ms, self._newest_ms))
        self._newest_ms = int(reached[-1]) if len(reached) else self._newest_ms
        count = int(np.searchsorted(self._waiting.reported_ms, self._newest_ms, side="right"))
        labels = self._waiting.take(slice(count))
        self._waiting = self._waiting.take(slice(count, None))
        return DueLabels(labels, np.searchsorted(reached, labels.reported_ms))


def labels_of(
    batch: TransactionBatch, frauds: Integers, transaction: Integers, delay_ms: int, fields: Sequence[str]
) -> Labels:
    """The labels of the frauds in a batch, each reported ``delay_ms`` after its transaction; ``fields`` name the entities.

    Legitimate rows need no label: without one a transaction counts as legitimate.
    """
    times_ms = batch.event_time[frauds]
    values = np.empty((len(fields), len(frauds)), object)
    for place, field in enumerate(fields):
        codes, texts = batch.texts(field)
        values[place] = [None if code < 0 else texts[code] for code in codes[frauds].tolist()]
    return Labels(transaction, times_ms, times_ms + delay_ms, np.ones(len(frauds), np.bool_), values)


def read_labels(
    path: Path, acceptance: Acceptance, now_ms: int, fields: Sequence[str] = OF_THE_RELEASE
) -> Labels:
    """All labels of a file, in its order; ``fields`` name the entities. Raises InvalidFile at the first invalid row."""
    columns = ("transaction_id", *fields, *_TIMES, "is_fraud")
    required = [name for name in columns if name not in fields or name in REQUIRED_FIELDS]

    def require(names: Sequence[str]) -> None:
        missing = [name for name in required if name not in names]
        if missing:
            raise InvalidFile(f"{path} has no column `{missing[0]}`: labels need {', '.join(required)}")

    earliest_ms, latest_ms = acceptance.earliest_event_time_ms, now_ms + acceptance.max_future_ms
    return _concatenated(
        [
            _none(len(fields)),
            *(
                _labels(_columns(path, first_row, rows, columns), (earliest_ms, latest_ms), fields)
                for first_row, rows in read_rows(path, WantedColumns(columns, require))
            ),
        ]
    )


def _columns(path: Path, first_row: int, rows: pa.RecordBatch, names: Sequence[str]) -> dict[str, Column]:
    return {
        name: Column(path=path, name=name, first_row=first_row, array=plain(rows.column(name)))
        for name in names
        if name in rows.schema.names
    }


def _labels(found: Mapping[str, Column], bounds_ms: tuple[int, int], fields: Sequence[str]) -> Labels:
    times_ms, reported_ms = (event_times(found[name], "ms") for name in _TIMES)
    for name, times in zip(_TIMES, (times_ms, reported_ms), strict=True):
        outside = (times < bounds_ms[0]) | (times > bounds_ms[1])
        found[name].refuse_where(pa.array(outside), "is before the earliest accepted time, or in the future")
    values = np.full((len(fields), len(times_ms)), None, object)
    for place, name in enumerate(fields):
        if name in found:
            values[place] = column_decoders.texts(found[name], required=name in REQUIRED_FIELDS).to_pylist()
    identifiers = column_decoders.texts(found["transaction_id"], required=True)
    transaction = digests(map(digest64, identifiers.to_pylist()))
    return Labels(transaction, times_ms, reported_ms, column_decoders.fraud_flags(found["is_fraud"]), values)


def _none(entities: int) -> Labels:
    nothing = np.zeros(0, np.int64)
    return Labels(nothing, nothing, nothing, nothing.astype(np.bool_), np.empty((entities, 0), object))


def _concatenated(parts: Sequence[Labels]) -> Labels:
    return Labels._make(np.concatenate(same, axis=-1) for same in zip(*parts, strict=True))
