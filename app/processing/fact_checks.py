"""Checks of facts before they are folded.

One with an impossible time would move an entity's windows, and wipe what they hold. One with an impossible source offset would make
every later fact of its source partition a repeat.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.adapters.kafka.records import Record
from app.adapters.serde.fact_codec import fact_rows, is_fact
from app.domain.acceptance import Acceptance
from app.domain.bounded import LATEST_MS
from app.errors import InvalidEvent, InvalidReason
from app.features.activity import LABEL, TRANSACTION
from app.processing.decode_chunk import Rejected
from app.processing.source_ends import SourceEnds

_NO_FACT = InvalidEvent(InvalidReason.WRONG_TYPE, "the record is no fact about an entity of this version")
_ERRORS = (
    None,
    InvalidEvent(InvalidReason.ABSURD_TIME, "a time of the fact lies before the earliest accepted time"),
    InvalidEvent(
        InvalidReason.FUTURE_TIME, "a time of the fact lies ahead of the record by more than allowed"
    ),
    InvalidEvent(InvalidReason.ABSURD_TIME, "the label is reported before its transaction"),
    InvalidEvent(
        InvalidReason.UNKNOWN_SOURCE, "the fact names an offset that the topic of transactions does not have"
    ),
)
_EARLY, _LATE, _REPORTED_EARLY, _UNKNOWN_SOURCE = 1, 2, 3, 4


class FactChecks:
    """Applies the bounds of transactions and labels to the facts that are made of them. ``source_ends`` is asked for each chunk."""

    def __init__(self, acceptance: Acceptance, source_ends: Callable[[], SourceEnds]) -> None:
        self._source_ends = source_ends
        derived = acceptance.of_derived()
        self._earliest_ms, self._ahead_ms = derived.earliest_event_time_ms, derived.max_future_ms

    def split(self, records: Sequence[Record]) -> tuple[list[Record], list[Rejected]]:
        """The facts among the records, and the others, each in order."""
        shaped = [index for index, record in enumerate(records) if is_fact(record.key, record.value)]
        why: list[InvalidEvent | None] = [_NO_FACT] * len(records)
        for index, error in zip(shaped, self._errors([records[index] for index in shaped]), strict=True):
            why[index] = error
        pairs = list(zip(records, why, strict=True))
        facts = [record for record, error in pairs if error is None]
        return facts, [Rejected(record, error) for record, error in pairs if error is not None]

    def _errors(self, records: Sequence[Record]) -> list[InvalidEvent | None]:
        """Why each fact is not accepted, None for one that is."""
        rows = fact_rows([record.value or b"" for record in records])
        written_ms = np.array([record.timestamp for record in records], np.int64)
        latest_ms = np.minimum(written_ms, LATEST_MS) + self._ahead_ms
        time_ms = rows["time_ms"]
        reported_ms = np.where(rows["kind"] == LABEL, rows["reported_ms"], time_ms)
        found = np.select(
            [
                time_ms < self._earliest_ms,
                time_ms > latest_ms,
                reported_ms < time_ms,
                reported_ms > latest_ms,
                lack_source(rows, self._source_ends()),
            ],
            [_EARLY, _LATE, _REPORTED_EARLY, _LATE, _UNKNOWN_SOURCE],
        )
        return [_ERRORS[code] for code in found.tolist()]


def sources_of(records: Sequence[Record]) -> NDArray[Any]:
    """The facts about transactions among the records, as rows of FACT."""
    rows = fact_rows([record.value or b"" for record in records if is_fact(record.key, record.value)])
    transactions: NDArray[Any] = rows[rows["kind"] == TRANSACTION]
    return transactions


def lack_source(rows: NDArray[Any], source: SourceEnds) -> NDArray[np.bool_]:
    """True for each fact about a transaction that cannot exist. Of another log than ``source`` only the signs are known.

    That is the log of a topic that was deleted and created again, or of the cluster that this one mirrored: its facts are genuine,
    and a guard of their own recognises their repeats.
    """
    partitions, offsets = rows["source_partition"].astype(np.int64), rows["source_offset"].astype(np.int64)
    elsewhere = rows["source_topic_id"] != source.topic_id
    missing = np.where(elsewhere, (partitions < 0) | (offsets < 0), source.lacks(partitions, offsets))
    lacking: NDArray[np.bool_] = (rows["kind"] == TRANSACTION) & missing
    return lacking
