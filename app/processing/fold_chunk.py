"""From the records of chunks to what is known about them: loaded, read, folded.

The one way for a worker and for everything that reads the log again beside it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from app.domain.acceptance import Acceptance
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.features.columns import events
from app.features.delayed_features import Touched, touched
from app.features.fold import APPLIED, Events, Folded, Integers, fold
from app.features.window import Bounds
from app.processing.chunk import Chunk
from app.processing.decode_chunk import Accepted, Before, Read, Rejected, SourceLog, read
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch


class Share(NamedTuple):
    """What is one chunk's own of what was applied."""

    chunk: Chunk
    accepted: slice
    """Its part of those that were accepted."""
    rows: slice
    """Its part of ``Applied.rows``."""
    rejected: list[Rejected]
    ignored: list[Ignored]
    profiles: dict[bytes, bytes]
    """The changed ones."""
    number: int
    """Of the chunk, in its partition's order of computation."""


class Applied(NamedTuple):
    """What became of the records of some chunks, and of their customers' profiles."""

    accepted: list[Accepted]
    """Of all chunks, one behind the other."""
    transactions: list[Transaction]
    """Of the accepted, in their order."""
    folded: Folded
    rows: list[int]
    """Indexes of the accepted that changed their profiles."""
    digests: Integers
    """Of the transactions that changed their profiles."""
    touched: Touched
    """By them: the entities besides their customers' profiles."""
    shares: list[Share]
    """Of each chunk, in their order."""


class ChunkFold:
    """Folds chunks into the profiles of a cache."""

    def __init__(self, log: SourceLog, acceptance: Acceptance, bounds: Bounds, profiles: StateCache) -> None:
        self.log = log
        self._acceptance = acceptance
        self._bounds = bounds
        self._profiles = profiles

    def apply(self, chunks: Sequence[Chunk], now_ms: int, watch: Stopwatch) -> Applied:
        """Load, decode and fold chunks of different partitions, in one go: most of what a small chunk costs does not
        depend on its size. Puts the changed profiles into the cache.
        """
        before = self._load(chunks)
        watch.lap("load")
        found = [
            read(chunk.records, known, self.log, self._acceptance, now_ms)
            for chunk, known in zip(chunks, before, strict=True)
        ]
        watch.lap("decode")
        accepted = [entry for part in found for entry in part.accepted]
        transactions = [entry.transaction for entry in accepted]
        columns = _columns(accepted, transactions)
        folded = fold(before[0].profiles, columns, self._bounds, self.log.topic_id)
        rows = np.flatnonzero(folded.status == APPLIED)
        applied = Applied(
            accepted=accepted,
            transactions=transactions,
            folded=folded,
            rows=rows.tolist(),
            digests=columns.transaction[rows],
            touched=touched([transactions[row] for row in rows.tolist()]),
            shares=[],
        )
        self._part(applied, chunks, found)
        watch.lap("fold")
        return applied

    def _load(self, chunks: Sequence[Chunk]) -> list[Before]:
        keys = [list(dict.fromkeys(record.key for record in chunk.records if record.key)) for chunk in chunks]
        misplaced = self._misplaced(chunks, keys)
        profiles: list[bytes] = []
        before = []
        for chunk, own in zip(chunks, keys, strict=True):
            places = {key: place for place, key in enumerate(own, len(profiles))}
            before.append(Before(places, profiles, misplaced[chunk.partition]))
            profiles += self._profiles.take(chunk.partition, own)
        return before

    def _misplaced(self, chunks: Sequence[Chunk], keys: Sequence[Sequence[bytes]]) -> dict[int, set[bytes]]:
        """By the partition in which they were found."""
        found_in = [chunk.partition for chunk, own in zip(chunks, keys, strict=True) for _ in own]
        together = list(chain.from_iterable(keys))
        misplaced: dict[int, set[bytes]] = {chunk.partition: set() for chunk in chunks}
        for at in self.log.misplaced(together, found_in):
            misplaced[found_in[at]].add(together[at])
        return misplaced

    def _part(self, applied: Applied, chunks: Sequence[Chunk], found: Sequence[Read]) -> None:
        """Give each chunk its share, and put what it changed into the cache."""
        accepted = rows = 0
        for chunk, own in zip(chunks, found, strict=True):
            end = accepted + len(own.accepted)
            end_row = bisect_left(applied.rows, end, rows)
            changed = {
                applied.accepted[row].record.key or b"": applied.folded.profiles[applied.accepted[row].place]
                for row in applied.rows[rows:end_row]
            }
            number = self._profiles.put(chunk.partition, changed)
            share = Share(
                chunk, slice(accepted, end), slice(rows, end_row), own.rejected, own.ignored, changed, number
            )
            applied.shares.append(share)
            accepted, rows = end, end_row


def _columns(accepted: Sequence[Accepted], transactions: Sequence[Transaction]) -> Events:
    return events(
        transactions, [entry.place for entry in accepted], [entry.record.offset for entry in accepted]
    )
