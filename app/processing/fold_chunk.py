"""Folds chunks into customer profiles: loads the profiles, decodes the records, folds.

Workers and the commands that read the log again (replay, explain, verify) share this code.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from app.adapters.kafka.records import Record
from app.computation.interface import Computation, Prepared
from app.computation.release import RELEASE
from app.domain.acceptance import Acceptance
from app.domain.identifiers import digest64
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.errors import StateCorrupt
from app.features.delayed_features import Touched, touched
from app.features.fold import APPLIED, Folded, Integers
from app.features.window import Bounds
from app.processing.chunk import Chunk
from app.processing.decode_chunk import (
    Accepted,
    DecodedChunk,
    Rejected,
    SourceLog,
    StoredProfiles,
    decode_records,
)
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch


class ChunkSlice(NamedTuple):
    """The part of one chunk in FoldedChunks."""

    chunk: Chunk
    accepted: slice
    """Its part of ``FoldedChunks.accepted``."""
    rows: slice
    """Its part of ``FoldedChunks.rows``."""
    rejected: list[Rejected]
    ignored: list[Ignored]
    profiles: dict[bytes, bytes]
    """Changed profiles, encoded, by customer."""
    number: int
    """Of the chunk, in the order its partition's chunks are computed."""


class FoldedChunks(NamedTuple):
    """The result of folding several chunks."""

    accepted: list[Accepted]
    """Of all chunks, concatenated."""
    transactions: list[Transaction]
    """Of ``accepted``, in the same order."""
    columns: Folded
    """Of ``accepted``: status, features and profiles after the fold."""
    rows: list[int]
    """Indexes of ``accepted`` that changed their profiles."""
    digests: Integers
    """Transaction digests of ``rows``."""
    touched: Touched
    """Entities of the transactions of ``rows``, other than their customers."""
    slices: list[ChunkSlice]
    """One per chunk, in the order of the chunks."""


class ChunkFold:
    """Folds chunks into the profiles of a cache."""

    def __init__(
        self,
        log: SourceLog,
        acceptance: Acceptance,
        bounds: Bounds,
        profiles: StateCache,
        computation: Computation = RELEASE,
    ) -> None:
        self.log = log
        self.computation = computation
        self._acceptance = acceptance
        self._bounds = bounds
        self._profiles = profiles

    def apply(self, chunks: Sequence[Chunk], stopwatch: Stopwatch) -> FoldedChunks:
        """Load, decode and fold chunks of different partitions in one call, and put the changed profiles into the cache.

        Most of the cost of a small chunk does not depend on its size; one call pays it once.
        """
        before = self._load(chunks)
        stopwatch.lap("load")
        try:
            return self._apply(chunks, before, stopwatch)
        except StateCorrupt:
            self._name_corrupt(chunks, before)
            raise

    def _apply(
        self, chunks: Sequence[Chunk], before: Sequence[StoredProfiles], stopwatch: Stopwatch
    ) -> FoldedChunks:
        found = [
            decode_records(chunk.records, known, self.log, self._acceptance)
            for chunk, known in zip(chunks, before, strict=True)
        ]
        stopwatch.lap("decode")
        accepted = [entry for part in found for entry in part.accepted]
        transactions = [entry.transaction for entry in accepted]
        columns = self._prepare(accepted, transactions)
        folded = columns.fold(before[0].profiles, self._bounds, self.log.topic_id)
        rows = np.flatnonzero(folded.status == APPLIED)
        applied = FoldedChunks(
            accepted=accepted,
            transactions=transactions,
            columns=folded,
            rows=rows.tolist(),
            digests=columns.transaction[rows],
            touched=touched([transactions[row] for row in rows.tolist()], self.computation.entities),
            slices=[],
        )
        self._add_slices(applied, chunks, found)
        stopwatch.lap("fold")
        return applied

    def _prepare(self, accepted: Sequence[Accepted], transactions: Sequence[Transaction]) -> Prepared:
        return self.computation.prepare(
            transactions,
            [entry.profile_index for entry in accepted],
            [entry.record.offset for entry in accepted],
        )

    def _name_corrupt(self, chunks: Sequence[Chunk], before: Sequence[StoredProfiles]) -> None:
        """Raise StateCorrupt with the position of the first record whose profile cannot be decoded, and the remedy."""
        for chunk, known in zip(chunks, before, strict=True):
            for record in chunk.records:
                if not record.key:
                    continue
                try:
                    self._prepare([], []).fold(
                        [known.profiles[known.indexes[record.key]]], self._bounds, self.log.topic_id
                    )
                except StateCorrupt as error:
                    raise StateCorrupt(
                        _UNREADABLE_PROFILE.format(*_position(chunk, record), error)
                    ) from error

    def _load(self, chunks: Sequence[Chunk]) -> list[StoredProfiles]:
        keys = [list(dict.fromkeys(record.key for record in chunk.records if record.key)) for chunk in chunks]
        misplaced = self._misplaced(chunks, keys)
        profiles: list[bytes] = []
        before = []
        for chunk, own in zip(chunks, keys, strict=True):
            indexes = {key: index for index, key in enumerate(own, len(profiles))}
            before.append(StoredProfiles(indexes, profiles, misplaced[chunk.partition]))
            profiles += self._profiles.take(chunk.partition, own)
        return before

    def _misplaced(self, chunks: Sequence[Chunk], keys: Sequence[Sequence[bytes]]) -> dict[int, set[bytes]]:
        """Return the misplaced keys of each chunk's partition."""
        found_in = [chunk.partition for chunk, own in zip(chunks, keys, strict=True) for _ in own]
        together = list(chain.from_iterable(keys))
        misplaced: dict[int, set[bytes]] = {chunk.partition: set() for chunk in chunks}
        for at in self.log.misplaced(together, found_in):
            misplaced[found_in[at]].add(together[at])
        return misplaced

    def _add_slices(
        self, applied: FoldedChunks, chunks: Sequence[Chunk], found: Sequence[DecodedChunk]
    ) -> None:
        """Add each chunk's slice to ``applied``, and put its changed profiles into the cache."""
        accepted = rows = 0
        for chunk, own in zip(chunks, found, strict=True):
            end = accepted + len(own.accepted)
            end_row = bisect_left(applied.rows, end, rows)
            changed = {
                entry.record.key or b"": applied.columns.profiles[entry.profile_index]
                for entry in (applied.accepted[row] for row in applied.rows[rows:end_row])
            }
            number = self._profiles.put(chunk.partition, changed)
            chunk_slice = ChunkSlice(
                chunk, slice(accepted, end), slice(rows, end_row), own.rejected, own.ignored, changed, number
            )
            applied.slices.append(chunk_slice)
            accepted, rows = end, end_row


_UNREADABLE_PROFILE = (
    "partition {}: the profile of the customer of offset {} (digest of the key {}) cannot be decoded: {}. Move "
    "FRAUDSTREAM_WORKER_DATA_DIR aside and start the worker again: the changelog restores it. If the changelog holds the same bytes, "
    "run the release that wrote them, or `fraudstream state rebuild` (docs/data/replay.md)"
)


def _position(chunk: Chunk, record: Record) -> tuple[int, int, str]:
    """Where an operator finds the customer, without their id."""
    return chunk.partition, record.offset, digest64((record.key or b"").decode(errors="replace")).hex()
