"""Verifies profiles: folds them from the log again and compares them with those in the changelog."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from app.adapters.kafka.commit_notes import Commit
from app.adapters.kafka.range_reader import LogRecord, RangeReader
from app.features.profile_view import view
from app.features.state import lineage
from app.processing.chunk import Chunk
from app.processing.fold_chunk import ChunkFold
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.replay.customer_history import Progress
from app.replay.refold import FoldRules
from app.replay.scratch_store import ScratchStore
from app.replay.stored_profiles import restore

MOST_EXAMPLES = 10


class Match(StrEnum):
    """Result of comparing one customer's profile."""

    EQUAL = "equal"
    """Byte for byte."""
    OLDER_THAN_LOG = "older_than_log"
    """The profile holds everything that the log still gives, and also events that retention has deleted."""
    DIFFERENT = "different"
    MISSING = "missing"
    """The log gives a profile, but the changelog has none."""
    UNEXPECTED = "unexpected"
    """The changelog has a profile of a customer without records, and no record was deleted."""
    OVERTAKEN = "overtaken"
    """The last record of the changelog is an older version of the profile: compaction would lose the newer one."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """A customer whose profile differs from the one that the log gives."""

    match: Match
    partition: int
    customer_id: str


class Profiles(NamedTuple):
    """The two sets of profiles: read from the changelog, and folded again."""

    recorded: ScratchStore
    rebuilt: ScratchStore


class Verification:
    """Compares partition by partition and counts the results."""

    def __init__(
        self, source: RangeReader, changelog: RangeReader, rules: FoldRules, cache_bytes: int
    ) -> None:
        self.matches: Counter[Match] = Counter()
        self.mismatches: list[Mismatch] = []
        self.lost: dict[int, int] = {}
        """By partition, the records that retention deleted before the group read them; no profile holds them."""
        self._source = source
        self._changelog = changelog
        self._rules = rules
        self._cache_bytes = cache_bytes

    @property
    def is_sound(self) -> bool:
        """Whether no profile is different, missing, unexpected or overtaken, and no record was lost."""
        return not self.lost and not (self.matches.keys() - {Match.EQUAL, Match.OLDER_THAN_LOG})

    def note_lost(self, commits: Mapping[int, Commit], begins: Mapping[int, int]) -> None:
        """Note what the group lost, by its commits and the first offsets of the log as they were before these."""
        now_ms = time.time_ns() // 1_000_000
        for partition, begin in begins.items():
            if partition in commits and (lost := commits[partition].lost_records(begin, now_ms)):
                self.lost[partition] = lost

    async def run(self, partition: int, finished: int, profiles: Profiles, on_progress: Progress) -> None:
        """Verify one partition. ``finished`` is the offset that the group had committed before.

        Workers may run: each profile is folded up to the offset that its changelog version has applied, so that a profile
        that changes meanwhile is compared at its recorded state.
        """
        begins, _ = await self._source.extent(partition)
        overtaken = await restore(self._changelog, partition, profiles.recorded)
        _, ends = await self._source.extent(partition)
        cache = StateCache(profiles.rebuilt, self._cache_bytes)
        log = self._rules.log_of(self._source)
        fold = ChunkFold(log, self._rules.acceptance, self._rules.bounds, cache, self._rules.computation)
        async for records, reached in self._source.records(partition, begins, ends):
            if chosen := self._up_to_applied(records, profiles.recorded, finished):
                applied = fold.apply([Chunk(partition, chosen)], Stopwatch(time.perf_counter))
                (chunk_slice,) = applied.slices
                profiles.rebuilt.write(partition, chunk_slice.profiles)
                cache.release(partition, chunk_slice.number)
            on_progress(reached)
        for key, recorded, rebuilt in _side_by_side(partition, profiles):
            found = match(recorded, rebuilt, log_is_cut=begins > 0)
            self._count(partition, key, Match.OVERTAKEN if key in overtaken else found)

    def _up_to_applied(
        self, records: list[LogRecord], recorded: ScratchStore, finished: int
    ) -> list[LogRecord]:
        keys = list(dict.fromkeys(record.key for record in records if record.key))
        partition = records[0].partition if records else 0
        applied = {
            key: self._applied_offset(value, finished)
            for key, value in zip(keys, recorded.read(partition, keys), strict=True)
        }
        return [record for record in records if record.offset <= applied.get(record.key or b"", -1)]

    def _applied_offset(self, profile: bytes | None, finished: int) -> int:
        """Return the last offset in a profile. Without a profile of this topic every committed record must be in it."""
        if profile is None:
            return finished - 1
        topic_id, applied_offset = lineage(profile)
        return applied_offset if topic_id == self._source.topic_id else finished - 1

    def _count(self, partition: int, key: bytes, found: Match) -> None:
        self.matches[found] += 1
        if found not in {Match.EQUAL, Match.OLDER_THAN_LOG} and self.matches[found] <= MOST_EXAMPLES:
            customer = key.decode(errors="replace")
            self.mismatches.append(Mismatch(match=found, partition=partition, customer_id=customer))


def match(recorded: bytes | None, rebuilt: bytes | None, *, log_is_cut: bool) -> Match:
    """Compare a recorded profile with the one folded from the log."""
    if recorded == rebuilt:
        return Match.EQUAL
    if recorded is None:
        return Match.MISSING
    if rebuilt is None:
        return Match.OLDER_THAN_LOG if log_is_cut else Match.UNEXPECTED
    return Match.OLDER_THAN_LOG if log_is_cut and _contains(recorded, rebuilt) else Match.DIFFERENT


def _contains(recorded: bytes, rebuilt: bytes) -> bool:
    """Return whether the recorded profile holds every event that the log still gives, at the same applied offset."""
    stored, folded = view(recorded), view(rebuilt)
    kept = {event.transaction: event for event in stored.events}
    return stored.applied_offset == folded.applied_offset and all(
        kept.get(event.transaction) == event for event in folded.events
    )


def _side_by_side(partition: int, profiles: Profiles) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
    """Merge both sets in order of key: yields key, recorded and rebuilt profile."""
    recorded, rebuilt = profiles.recorded.items(partition), profiles.rebuilt.items(partition)
    left, right = next(recorded, None), next(rebuilt, None)
    while left is not None or right is not None:
        key = min(one[0] for one in (left, right) if one is not None)
        stored = left[1] if left is not None and left[0] == key else None
        folded = right[1] if right is not None and right[0] == key else None
        yield key, stored, folded
        if stored is not None:
            left = next(recorded, None)
        if folded is not None:
            right = next(rebuilt, None)


def as_mapping(matches: Mapping[Match, int]) -> dict[str, int]:
    """Return the counts by name, the largest first."""
    return {str(name): count for name, count in sorted(matches.items(), key=lambda entry: -entry[1])}
