"""The version of a profile that a restore keeps, and the offset it reaches."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from app.adapters.kafka.bulk_fetch import Slice
from app.adapters.kafka.records import CLAIM_KEY
from app.adapters.observability.prometheus import PrometheusMetrics
from app.errors import RestoreFailed
from app.features.state import PROFILE, VERSION
from app.streaming.state.restore import Gap, Restore, Versions
from app.streaming.state.restore_progress import RestoreProgress
from app.streaming.state.tables import StateStore


def version(applied_offset: int, topic_id: int = 1) -> bytes:
    header = np.zeros(1, PROFILE)
    header["version"], header["applied_offset"], header["topic_id"] = VERSION, applied_offset, topic_id
    return bytes(header.tobytes())


def kept(*values: bytes | None, stored: bytes | None = None) -> bytes | None:
    """Restore one customer's versions, in the order of the changelog."""
    found = Versions().newest([(b"c1", value) for value in values], {b"c1": stored})
    return found.get(b"c1", stored)


def test_the_version_that_applied_more_of_the_log_wins_in_any_order() -> None:
    assert version(9) == kept(version(5), version(9), version(7))


def test_an_older_version_does_not_replace_what_is_stored() -> None:
    assert version(9) == kept(version(7), stored=version(9))


def test_the_same_version_again_changes_nothing() -> None:
    assert version(9) == kept(version(9), stored=version(9))


def test_offsets_of_two_source_topics_are_not_compared() -> None:
    assert version(0, topic_id=2) == kept(version(0, topic_id=2), stored=version(9, topic_id=1))


@pytest.mark.parametrize("garbage", [b"", b"?", bytes(23)])
def test_bytes_that_are_no_state_replace_none_and_do_not_end_the_restore(garbage: bytes) -> None:
    assert kept(garbage, stored=version(5)) == version(5)
    assert kept(version(3), stored=garbage) == version(3)
    assert kept(garbage, stored=None) == garbage


def test_a_tombstone_deletes_the_customer_and_a_later_profile_starts_anew() -> None:
    assert kept(None, stored=version(9)) is None
    assert version(3) == kept(version(9), None, version(3))


class Memory(dict[bytes, bytes]):
    """One partition's database in memory."""

    changelog_offset = -1
    writes = 0
    reads = 0

    def is_new(self, partition: int) -> bool:
        assert partition == 0
        return not self.writes and not self

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        assert partition == 0
        self.reads += len(keys)
        return [self.get(key) for key in keys]

    def write(self, partition: int, profiles: Mapping[bytes, bytes | None], changelog_offset: int) -> None:
        assert partition == 0
        self.changelog_offset, self.writes = changelog_offset, self.writes + 1
        for key, value in profiles.items():
            self.pop(key, None)
            if value is not None:
                self[key] = value


class Answer(NamedTuple):
    """Slices of two records from ``offset`` on, possibly none up to the end."""

    records: dict[int, tuple[bytes, bytes | None]]
    offset: int
    end: int

    def slices(self) -> Iterator[Slice]:
        left = [offset for offset in sorted(self.records) if offset >= self.offset]
        if not left:
            yield Slice([], self.end)
        for at in range(0, min(len(left), 4), 2):
            offsets = left[at : at + 2]
            yield Slice([self.records[offset] for offset in offsets], offsets[-1] + 1)


class Changelog:
    """A partition's records by offset, with the gaps that compaction leaves."""

    def __init__(self, records: dict[int, tuple[bytes, bytes | None]]) -> None:
        self.records = records

    async def fetch(self, topic: str, partition: int, offset: int, end: int) -> Answer:
        assert (topic, partition) == ("changelog", 0)
        return Answer(self.records, offset, end)


def restoring(
    store: Memory,
    start: int,
    end: int,
    records: dict[int, tuple[bytes, bytes | None]],
    abandoned: Callable[[], bool] = lambda: False,
) -> tuple[bool, PrometheusMetrics]:
    """Result of a restore, and its metrics."""
    metrics = PrometheusMetrics()
    restore = Restore("changelog", store, RestoreProgress(metrics), abandoned)
    complete = asyncio.run(restore.run({0: Gap(start, end)}, lambda: nullcontext(Changelog(records))))
    return complete, metrics


def numbered(*offsets: int) -> dict[int, tuple[bytes, bytes | None]]:
    """A customer and a version at each offset."""
    return {offset: (b"c%d" % offset, version(offset)) for offset in offsets}


def test_everything_up_to_the_end_is_restored_with_its_offset() -> None:
    store = Memory()
    complete, _ = restoring(store, 0, 9, numbered(*range(9)))

    assert complete
    assert {b"c%d" % number: version(number) for number in range(9)} == store
    assert 8 == store.changelog_offset


@pytest.mark.parametrize("claims", [0, 1, 2])
def test_states_are_stored_with_the_offset_before_the_claims_that_follow(claims: int) -> None:
    """A copy of the states that is marked with this offset stays complete when other workers claim the partition."""
    offsets: list[tuple[set[bytes], int]] = []

    class Recorded(Memory):
        def write(
            self, partition: int, profiles: Mapping[bytes, bytes | None], changelog_offset: int
        ) -> None:
            super().write(partition, profiles, changelog_offset)
            offsets.append((set(profiles), changelog_offset))

    claimed = dict.fromkeys(range(1, 1 + claims), (CLAIM_KEY, None))
    restoring(Recorded(), 0, 1 + claims, numbered(0) | claimed)

    assert offsets[0] == ({b"c0"}, 0)
    assert [states for states, _ in offsets[1:]] == [set()] * len(offsets[1:])
    assert offsets[-1][1] == claims


class Copied(Changelog):
    """A changelog in which one claim names the id of a topic."""

    def __init__(self, topic_id: str) -> None:
        super().__init__(numbered(0, 1))
        self._named = frozenset({topic_id})

    async def fetch(self, topic: str, partition: int, offset: int, end: int) -> Any:
        answer = await super().fetch(topic, partition, offset, end)
        return SimpleNamespace(
            slices=lambda: [found._replace(claimed_topic_ids=self._named) for found in answer.slices()]
        )


def test_a_changelog_that_was_copied_from_another_cluster_is_refused() -> None:
    """Its states may include transactions whose decisions were not copied yet."""

    def restored(changelog: Changelog) -> Memory:
        store = Memory()
        restore = Restore("changelog", store, RestoreProgress(PrometheusMetrics()), lambda: False, "1a")
        assert asyncio.run(restore.run({0: Gap(0, 2)}, lambda: nullcontext(changelog)))
        return store

    assert {b"c0", b"c1"} == set(restored(Copied("1a")))
    with pytest.raises(RestoreFailed, match="topic with the id 2b, which is 1a here"):
        restored(Copied("2b"))


def test_records_before_the_start_are_not_read_again() -> None:
    store = Memory()
    restoring(store, 5, 9, numbered(*range(9)))

    assert {b"c5", b"c6", b"c7", b"c8"} == set(store)


def test_keys_never_written_to_a_new_database_are_not_looked_up() -> None:
    store = Memory()
    restoring(store, 0, 5, numbered(*range(5)))

    assert 0 == store.reads


def test_keys_written_by_this_restore_are_looked_up() -> None:
    store = Memory()
    versions = [version(5), version(9), version(1), version(7), version(8)]
    restoring(store, 0, 5, {offset: (b"c1", value) for offset, value in enumerate(versions)})

    assert {b"c1": version(9)} == store


def test_every_key_of_a_database_with_content_is_looked_up() -> None:
    store = Memory({b"c3": version(9)})
    restoring(store, 0, 5, numbered(*range(5)))

    assert version(9) == store[b"c3"]


@pytest.mark.parametrize("offsets", [(), (0, 1), (3,), (0, 4, 8)])
def test_a_restore_reaches_the_end_offset_although_the_last_records_are_compacted_away(
    offsets: tuple[int, ...],
) -> None:
    store = Memory()
    complete, _ = restoring(store, 0, 12, numbered(*offsets))

    assert complete
    assert {b"c%d" % offset for offset in offsets} == set(store)
    assert 11 == store.changelog_offset


def test_an_empty_changelog_is_restored_at_once() -> None:
    store = Memory()

    assert restoring(store, 0, 0, {})[0]
    assert 0 == store.writes


def test_a_database_that_is_up_to_date_is_not_written() -> None:
    store = Memory()

    assert restoring(store, 9, 9, numbered(*range(9)))[0]
    assert 0 == store.writes


def test_a_changelog_that_ends_before_the_local_profiles_is_refused() -> None:
    with pytest.raises(RestoreFailed, match="truncated or created again"):
        restoring(Memory(), 10, 9, numbered(*range(9)))


def test_after_a_revocation_nothing_is_written_and_earlier_writes_stay_valid() -> None:
    store = Memory()
    complete, _ = restoring(store, 0, 9, numbered(*range(9)), abandoned=lambda: store.writes == 3)

    assert not complete
    assert {b"c%d" % number for number in range(6)} == set(store)
    assert 5 == store.changelog_offset


def test_an_abandoned_restore_is_resumed_from_its_last_offset() -> None:
    store, records = Memory(), numbered(*range(9))
    restoring(store, 0, 9, records, abandoned=lambda: store.writes == 2)
    restoring(store, store.changelog_offset + 1, 9, records)

    assert {b"c%d" % number for number in range(9)} == set(store)


def test_metrics_show_the_restored_and_remaining_records() -> None:
    _, metrics = restoring(Memory(), 0, 12, numbered(0, 3, 4))

    assert 3 == metrics.registry.get_sample_value("fraudstream_restored_records_total")
    assert 0 == metrics.registry.get_sample_value("fraudstream_restore_remaining_records")


def test_fausts_recovery_applies_the_same_rule() -> None:
    class Stored(StateStore):
        def __init__(self) -> None:
            self.memory = Memory()

        def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
            return self.memory.read(partition, keys)

        def write(
            self, partition: int, profiles: Mapping[bytes, bytes | None], changelog_offset: int
        ) -> None:
            self.memory.write(partition, profiles, changelog_offset)

    store = Stored()
    values = [version(5), version(9), version(7)]
    messages = [
        SimpleNamespace(key=b"c1", value=value, partition=0, offset=at) for at, value in enumerate(values)
    ]
    store.apply_changelog_batch([SimpleNamespace(message=message) for message in messages], None, None)

    assert {b"c1": version(9)} == store.memory
    assert 2 == store.memory.changelog_offset
