"""From the records of chunks to what is known about them: loaded, decoded, accepted or rejected, folded.

The one way for a worker and for everything that reads the log again beside it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from app.adapters.decoding import Decode, plain
from app.adapters.partitioner import partitions_of
from app.domain.acceptance import Acceptance
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason
from app.features.columns import events
from app.features.delayed import Touched, touched
from app.features.fold import APPLIED, Events, Folded, Integers, fold
from app.features.state import EMPTY, lineage
from app.features.window import Bounds
from app.streaming.chunks import Chunk
from app.streaming.profiles import ProfileCache
from app.streaming.stages import Stopwatch


class SourceLog(NamedTuple):
    """The log that profiles are folded from. A topic that was deleted and made again is another incarnation."""

    topic: str
    incarnation: int
    partitions: int = 0
    """Among which keys are placed by murmur2; 0 where another rule places them."""
    decode: Decode = plain
    """How its records are read."""

    def misplaced(self, keys: Sequence[bytes], found_in: Sequence[int]) -> list[int]:
        """Indexes of the keys that belong to another partition than they were ``found_in``: their profiles are there."""
        if not self.partitions or not keys:
            return []
        found: list[int] = np.flatnonzero(partitions_of(keys, self.partitions) != found_in).tolist()
        return found


class Rejected(NamedTuple):
    """A record that will never be scored."""

    record: Any
    error: InvalidEvent


class Accepted(NamedTuple):
    """A record that may change its customer's profile."""

    record: Any
    transaction: Transaction
    place: int
    """Index of the profile."""


class Before(NamedTuple):
    """The profiles of a chunk's customers, as the chunks before it left them."""

    places: dict[bytes, int]
    """Index in ``profiles`` of each key."""
    profiles: list[bytes]
    """Of all chunks that are applied together."""
    misplaced: set[bytes]
    """Keys that belong to another partition."""

    def require_placed(self, key: bytes) -> None:
        """Raise InvalidEvent for a key whose profile another partition has."""
        if key in self.misplaced:
            raise InvalidEvent(InvalidReason.WRONG_PARTITION, "murmur2 puts its key in another partition")

    def has_applied(self, record: Any, incarnation: int) -> bool:
        """A replay: its customer's profile is past it, so what it became was delivered before."""
        if not record.key:
            return False
        applied_in, applied_offset = lineage(self.profiles[self.places[record.key]] or EMPTY)
        return applied_in == incarnation and bool(record.offset <= applied_offset)


class Read(NamedTuple):
    """A chunk's records, decoded. One that was replayed is neither rejected nor ignored."""

    accepted: list[Accepted]
    rejected: list[Rejected]
    ignored: list[Ignored]
    """Why records are no transactions."""


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

    def __init__(
        self, log: SourceLog, acceptance: Acceptance, bounds: Bounds, profiles: ProfileCache
    ) -> None:
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
        read = [self._read(chunk.records, known, now_ms) for chunk, known in zip(chunks, before, strict=True)]
        watch.lap("decode")
        accepted = [entry for part in read for entry in part.accepted]
        transactions = [entry.transaction for entry in accepted]
        columns = _columns(accepted, transactions)
        folded = fold(before[0].profiles, columns, self._bounds, self.log.incarnation)
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
        self._part(applied, chunks, read)
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

    def _part(self, applied: Applied, chunks: Sequence[Chunk], read: Sequence[Read]) -> None:
        """Give each chunk its share, and put what it changed into the cache."""
        accepted = rows = 0
        for chunk, own in zip(chunks, read, strict=True):
            end = accepted + len(own.accepted)
            end_row = bisect_left(applied.rows, end, rows)
            changed = {
                applied.accepted[row].record.key: applied.folded.profiles[applied.accepted[row].place]
                for row in applied.rows[rows:end_row]
            }
            number = self._profiles.put(chunk.partition, changed)
            share = Share(
                chunk, slice(accepted, end), slice(rows, end_row), own.rejected, own.ignored, changed, number
            )
            applied.shares.append(share)
            accepted, rows = end, end_row

    def _read(self, records: Iterable[Any], before: Before, now_ms: int) -> Read:
        read = Read([], [], [])
        decode, incarnation = self.log.decode, self.log.incarnation
        reference_time, check = self._acceptance.reference_time, self._acceptance.check
        for record in records:
            try:
                transaction = decode(record)
                if isinstance(transaction, Ignored):
                    if not before.has_applied(record, incarnation):
                        read.ignored.append(transaction)
                    continue
                check(
                    transaction, key=record.key or b"", reference_ms=reference_time(record.timestamp, now_ms)
                )
                before.require_placed(record.key)
            except InvalidEvent as error:
                if not before.has_applied(record, incarnation):
                    read.rejected.append(Rejected(record, error))
            else:
                read.accepted.append(Accepted(record, transaction, before.places[record.key]))
        return read


def _columns(accepted: Sequence[Accepted], transactions: Sequence[Transaction]) -> Events:
    return events(
        transactions, [entry.place for entry in accepted], [entry.record.offset for entry in accepted]
    )
