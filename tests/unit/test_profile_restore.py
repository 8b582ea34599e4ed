"""What a replay of the changelog leaves in the store."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from app.features.profile import Profile
from app.features.state import encode
from app.features.window import Bounds
from app.streaming.tables import ProfileStore


class Restored(ProfileStore):
    """The store's own replay over a dictionary in the place of RocksDB."""

    def __init__(self, stored: dict[bytes, bytes]) -> None:
        self.stored = stored
        self.changelog_offset = -1

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        assert partition == 0
        return [self.stored.get(key) for key in keys]

    def write(self, partition: int, profiles: Mapping[bytes, bytes | None], changelog_offset: int) -> None:
        assert partition == 0
        for key, value in profiles.items():
            self.stored.pop(key, None)
            if value is not None:
                self.stored[key] = value
        self.changelog_offset = changelog_offset


def version(applied_offset: int, incarnation: int = 1) -> bytes:
    profile = Profile(Bounds(0, 16))
    profile.applied_offset, profile.incarnation = applied_offset, incarnation
    return encode(profile)


def replay(store: Restored, *values: bytes | None) -> None:
    events: list[Any] = [
        SimpleNamespace(message=SimpleNamespace(key=b"c1", value=value, partition=0, offset=offset))
        for offset, value in enumerate(values)
    ]
    store.apply_changelog_batch(events, None, None)


def test_the_version_that_applied_more_of_the_log_wins_wherever_it_stands_in_the_changelog() -> None:
    store = Restored({})
    replay(store, version(5), version(9), version(7))

    assert version(9) == store.stored[b"c1"]
    assert 2 == store.changelog_offset


def test_an_older_version_does_not_replace_what_is_stored() -> None:
    store = Restored({b"c1": version(9)})
    replay(store, version(7))

    assert version(9) == store.stored[b"c1"]


def test_after_the_source_topic_was_made_again_its_offsets_are_not_compared_with_the_old_ones() -> None:
    store = Restored({b"c1": version(9, incarnation=1)})
    replay(store, version(0, incarnation=2))

    assert version(0, incarnation=2) == store.stored[b"c1"]


def test_a_tombstone_forgets_the_customer_and_a_later_profile_begins_anew() -> None:
    store = Restored({b"c1": version(9)})
    replay(store, None)
    assert {} == store.stored

    replay(store, version(9), None, version(3))
    assert version(3) == store.stored[b"c1"]
