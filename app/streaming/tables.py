"""The durable table of profiles: a Faust table whose RocksDB is written once per chunk, atomically.

Faust keeps what it is good at: the changelog topic, who owns which partition, the replay of the changelog
after a change of owner. A chunk's profiles and the changelog offset they stand at go into one write batch, so
that local state is never ahead of the changelog nor torn.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import faust
import rocksdict
from faust.stores.rocksdb import RocksDBOptions, Store
from faust.tables.table import Table
from faust.types import TP

from app.features.state import lineage
from app.settings import WorkerSettings
from app.streaming.fail_stop import fail_stop
from app.streaming.rocksdb_memory import BoundedMemory
from app.streaming.topics import PROFILES_TABLE


class ProfileStore(Store):
    """RocksDB of one worker: one database per owned partition."""

    offset_key = b""
    """No customer has the empty key. Under Faust's own name for it anybody's record would have found it."""

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        """Stored profiles of ``keys``, None where there is none."""
        found: list[bytes | None] = self._db_for_partition(partition).get(keys)
        return found

    def write(self, partition: int, profiles: Mapping[bytes, bytes | None], changelog_offset: int) -> None:
        """One atomic batch: profiles, and the changelog offset up to which this database now stands.

        A customer whose profile is None is forgotten.
        """
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in profiles.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(self.offset_key, str(changelog_offset).encode())
        database = self._db_for_partition(partition)
        database.write(batch)
        cast(BoundedMemory, self.rocksdb_options).relieve(database)

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: object, to_value: object) -> None:  # noqa: ARG002  # Faust's signature
        """Replay the changelog. Of two versions of a profile the one that applied more of its log wins.

        A worker that was paused and lost its partitions may have appended an old version after a newer one.
        Faust would log an error here and go on with a hole in the state, so an error ends the process.
        """
        with fail_stop("restoring profiles"):
            for partition, events in _by_partition(batch).items():
                last_offset = events[-1].message.offset
                self.write(partition, self._newest(partition, events), last_offset)

    def _newest(self, partition: int, events: list[Any]) -> dict[bytes, bytes | None]:
        keys = list({event.message.key for event in events})
        stored = dict(zip(keys, self.read(partition, keys), strict=True))
        newest: dict[bytes, bytes | None] = {}
        for event in events:
            key, value = event.message.key, event.message.value
            known = newest.get(key, stored[key])
            # A tombstone is an operator's word: this customer is to be forgotten.
            if value is None or known is None or not is_older(value, known):
                newest[key] = value
        return newest

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Whatever was kept in memory may be stale from here on."""
        cast(ProfileTable, self.table).on_rebalance_started()
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)


def is_older(value: bytes, known: bytes) -> bool:
    """True when ``value`` applied less of the same source log than ``known``."""
    incarnation, applied_offset = lineage(value)
    known_incarnation, known_offset = lineage(known)
    return incarnation == known_incarnation and applied_offset < known_offset


class ProfileTable(Table[bytes, bytes]):
    """A Faust table over a ProfileStore. ``on_rebalance_started`` is called before partitions move."""

    on_rebalance_started: Callable[[], None]
    store_options: RocksDBOptions

    def _new_store(self) -> ProfileStore:
        store = ProfileStore(
            "rocksdb://", self.app, self, table_name=self.name, key_type=bytes, value_type=bytes
        )
        store.rocksdb_options = self.store_options
        return store


def profile_table(app: faust.App, settings: WorkerSettings, partitions: int) -> ProfileTable:
    """Register the table with the app. Its name is given, since Faust would derive it from the module."""
    table = cast(
        ProfileTable, app.Table(PROFILES_TABLE, partitions=partitions, key_type=bytes, value_type=bytes)
    )
    table.store_options = BoundedMemory(settings)
    return table


def _by_partition(batch: Iterable[Any]) -> dict[int, list[Any]]:
    partitions: dict[int, list[Any]] = {}
    for event in batch:
        partitions.setdefault(event.message.partition, []).append(event)
    return partitions
