"""From a chunk's records to what is known about them: loaded, decoded, accepted or rejected, folded.

The one way for a worker and for everything that reads the log again beside it.
"""

from collections.abc import Iterable, Sequence
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

    def misplaced(self, keys: Sequence[bytes], partition: int) -> set[bytes]:
        """Those of a partition's keys that belong to another: their profiles are there."""
        if not self.partitions or not keys:
            return set()
        elsewhere = np.flatnonzero(partitions_of(keys, self.partitions) != partition)
        return {keys[place] for place in elsewhere.tolist()}


class Rejected(NamedTuple):
    """A record that will never be scored."""

    record: Any
    error: InvalidEvent


class Accepted(NamedTuple):
    """A record that may change its customer's profile."""

    record: Any
    transaction: Transaction


class Before(NamedTuple):
    """The profiles of a chunk's customers, as the chunks before it left them."""

    places: dict[bytes, int]
    """Index in ``profiles`` of each key."""
    profiles: list[bytes]
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


class Applied(NamedTuple):
    """What became of a chunk's records, and of their customers' profiles."""

    accepted: list[Accepted]
    rejected: list[Rejected]
    transactions: list[Transaction]
    """Of the accepted, in their order."""
    folded: Folded
    rows: list[int]
    """Indexes of the accepted that changed their profiles."""
    digests: Integers
    """Of the transactions that changed their profiles."""
    touched: Touched
    """By them: the entities besides their customers' profiles."""
    profiles: dict[bytes, bytes]
    """The changed ones."""
    number: int
    """Of the chunk, in its partition's order of computation."""
    ignored: list[Ignored]
    """Why records are no transactions, of those that were not replayed."""


class ChunkFold:
    """Folds chunks into the profiles of a cache."""

    def __init__(
        self, log: SourceLog, acceptance: Acceptance, bounds: Bounds, profiles: ProfileCache
    ) -> None:
        self.log = log
        self._acceptance = acceptance
        self._bounds = bounds
        self._profiles = profiles

    def apply(self, chunk: Chunk, now_ms: int, watch: Stopwatch) -> Applied:
        """Load, decode and fold a chunk. Puts the changed profiles into the cache."""
        before = self._load(chunk)
        watch.lap("load")
        accepted, rejected, ignored = self._decode(chunk.records, before, now_ms)
        watch.lap("decode")
        transactions = [entry.transaction for entry in accepted]
        columns = _columns(accepted, transactions, before)
        folded = fold(before.profiles, columns, self._bounds, self.log.incarnation)
        rows = np.flatnonzero(folded.status == APPLIED).tolist()
        keys = [accepted[i].record.key for i in rows]
        changed = {key: folded.profiles[before.places[key]] for key in keys}
        number = self._profiles.put(chunk.partition, changed)
        about = touched([transactions[row] for row in rows])
        watch.lap("fold")
        return Applied(
            accepted=accepted,
            rejected=rejected,
            transactions=transactions,
            folded=folded,
            rows=rows,
            digests=columns.transaction[rows],
            touched=about,
            profiles=changed,
            number=number,
            ignored=ignored,
        )

    def _load(self, chunk: Chunk) -> Before:
        keys = list(dict.fromkeys(record.key for record in chunk.records if record.key))
        places = {key: place for place, key in enumerate(keys)}
        misplaced = self.log.misplaced(keys, chunk.partition)
        return Before(places, self._profiles.take(chunk.partition, keys), misplaced)

    def _decode(
        self, records: Iterable[Any], before: Before, now_ms: int
    ) -> tuple[list[Accepted], list[Rejected], list[Ignored]]:
        """What may change a profile, what never will, and what is no transaction. One of the latter two that was
        replayed is neither.
        """
        accepted, rejected, ignored = [], [], []
        decode, incarnation = self.log.decode, self.log.incarnation
        reference_time, check = self._acceptance.reference_time, self._acceptance.check
        for record in records:
            try:
                transaction = decode(record)
                if isinstance(transaction, Ignored):
                    if not before.has_applied(record, incarnation):
                        ignored.append(transaction)
                    continue
                check(
                    transaction, key=record.key or b"", reference_ms=reference_time(record.timestamp, now_ms)
                )
                before.require_placed(record.key)
            except InvalidEvent as error:
                if not before.has_applied(record, incarnation):
                    rejected.append(Rejected(record, error))
            else:
                accepted.append(Accepted(record, transaction))
        return accepted, rejected, ignored


def _columns(accepted: Sequence[Accepted], transactions: Sequence[Transaction], before: Before) -> Events:
    return events(
        transactions,
        [before.places[entry.record.key] for entry in accepted],
        [entry.record.offset for entry in accepted],
    )
