"""Profiles folded from the log a second time, and held against those in the changelog."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from app.adapters.kafka.range_reader import LogReader, LogRecord
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
    """Of one customer's profile."""

    EQUAL = "equal"
    """Byte for byte."""
    OLDER_THAN_LOG = "older_than_log"
    """All that the log still gives is in it, and what retention has deleted besides."""
    DIFFERENT = "different"
    MISSING = "missing"
    """The log gives a profile, the changelog has none."""
    UNEXPECTED = "unexpected"
    """The changelog has a profile of a customer of whom the whole log knows nothing."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """A customer whose profile is not what the log gives."""

    match: Match
    partition: int
    customer_id: str


class Profiles(NamedTuple):
    """What is compared: read from the changelog, and folded again."""

    recorded: ScratchStore
    rebuilt: ScratchStore


class Verification:
    """Counts of all partitions so far."""

    def __init__(self, source: LogReader, changelog: LogReader, rules: FoldRules, cache_bytes: int) -> None:
        self.matches: Counter[Match] = Counter()
        self.mismatches: list[Mismatch] = []
        self._source = source
        self._changelog = changelog
        self._rules = rules
        self._cache_bytes = cache_bytes

    @property
    def is_sound(self) -> bool:
        return not (self.matches.keys() - {Match.EQUAL, Match.OLDER_THAN_LOG})

    async def run(self, partition: int, finished: int, profiles: Profiles, on_progress: Progress) -> None:
        """One partition; ``finished`` is what the group had committed before this was called.

        A profile that has gone on since is compared as far as it has come: each is folded up to its own applied offset.
        """
        begins, _ = await self._source.extent(partition)
        await restore(self._changelog, partition, profiles.recorded)
        _, ends = await self._source.extent(partition)
        cache = StateCache(profiles.rebuilt, self._cache_bytes)
        log = self._rules.log_of(self._source)
        fold = ChunkFold(log, self._rules.acceptance, self._rules.bounds, cache)
        async for records, reached in self._source.records(partition, begins, ends):
            if chosen := self._up_to_applied(records, profiles.recorded, finished):
                applied = fold.apply([Chunk(partition, chosen)], _now_ms(), Stopwatch(time.perf_counter))
                (share,) = applied.shares
                profiles.rebuilt.write(partition, share.profiles)
                cache.release(partition, share.number)
            on_progress(reached)
        for key, recorded, rebuilt in _side_by_side(partition, profiles):
            self._count(partition, key, match(recorded, rebuilt, log_is_cut=begins > 0))

    def _up_to_applied(
        self, records: list[LogRecord], recorded: ScratchStore, finished: int
    ) -> list[LogRecord]:
        keys = list(dict.fromkeys(record.key for record in records if record.key))
        partition = records[0].partition if records else 0
        stands = {
            key: self._applied_offset(value, finished)
            for key, value in zip(keys, recorded.read(partition, keys), strict=True)
        }
        return [record for record in records if record.offset <= stands.get(record.key or b"", -1)]

    def _applied_offset(self, profile: bytes | None, finished: int) -> int:
        if profile is None:
            return finished - 1
        incarnation, applied_offset = lineage(profile)
        return applied_offset if incarnation == self._source.incarnation else finished - 1

    def _count(self, partition: int, key: bytes, found: Match) -> None:
        self.matches[found] += 1
        if found not in {Match.EQUAL, Match.OLDER_THAN_LOG} and self.matches[found] <= MOST_EXAMPLES:
            customer = key.decode(errors="replace")
            self.mismatches.append(Mismatch(match=found, partition=partition, customer_id=customer))


def match(recorded: bytes | None, rebuilt: bytes | None, *, log_is_cut: bool) -> Match:
    """How a profile compares with the one that the log gives."""
    if recorded == rebuilt:
        return Match.EQUAL
    if recorded is None:
        return Match.MISSING
    if rebuilt is None:
        return Match.OLDER_THAN_LOG if log_is_cut else Match.UNEXPECTED
    return Match.OLDER_THAN_LOG if log_is_cut and _holds(recorded, rebuilt) else Match.DIFFERENT


def _holds(recorded: bytes, rebuilt: bytes) -> bool:
    """Every event that the log still gives stands in the profile, which has come as far."""
    mine, its = view(recorded), view(rebuilt)
    kept = {event.transaction: event for event in mine.events}
    return mine.applied_offset == its.applied_offset and all(
        kept.get(event.transaction) == event for event in its.events
    )


def _side_by_side(partition: int, profiles: Profiles) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
    """Every customer of either, in order of key."""
    recorded, rebuilt = profiles.recorded.items(partition), profiles.rebuilt.items(partition)
    left, right = next(recorded, None), next(rebuilt, None)
    while left is not None or right is not None:
        key = min(one[0] for one in (left, right) if one is not None)
        mine = left[1] if left is not None and left[0] == key else None
        its = right[1] if right is not None and right[0] == key else None
        yield key, mine, its
        if mine is not None:
            left = next(recorded, None)
        if its is not None:
            right = next(rebuilt, None)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def as_mapping(matches: Mapping[Match, int]) -> dict[str, int]:
    """By name, the most first."""
    return {str(name): count for name, count in sorted(matches.items(), key=lambda entry: -entry[1])}
