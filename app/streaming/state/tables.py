"""The durable table of profiles: a Faust table whose RocksDB is written once per chunk, atomically.

Faust keeps what it is good at: the changelog topic and who owns which partition. A chunk's profiles and the
changelog offset they stand at go into one write batch, so that local state is never ahead of the changelog nor torn.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import faust
import rocksdict
import structlog
from faust.stores.rocksdb import RocksDBOptions, Store
from faust.tables.table import Table
from faust.types import TP

from app.adapters.disk.quarantine import is_corruption, mark_suspect, move_to_quarantine, suspect_reason
from app.errors import StoreFailed
from app.metrics import Metrics
from app.settings import KafkaSettings
from app.streaming.delivery.changelog_guard import ChangelogGuard
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.state.restore import newest
from app.streaming.state.rocksdb_memory import BoundedMemory

_log = structlog.get_logger("store")


class StoreSize(NamedTuple):
    """How much a worker keeps on its disk."""

    profiles: int
    """RocksDB's estimate."""
    stored_bytes: int


class StateStore(Store):
    """RocksDB of one worker: one database per owned partition."""

    offset_key = b""
    """No customer has the empty key. Under Faust's own name for it anybody's record would have found it."""

    def _open_for_partition(self, partition: int) -> rocksdict.Rdict:
        """A database that is damaged is moved aside; an empty one in its place is restored from the changelog."""
        path = self.partition_path(partition)
        if reason := suspect_reason(path):
            self._replace(path, reason)
        try:
            return cast(rocksdict.Rdict, super()._open_for_partition(partition))
        except Exception as error:
            if not is_corruption(error):
                raise
            self._replace(path, str(error))
            return cast(rocksdict.Rdict, super()._open_for_partition(partition))

    def _replace(self, path: Path, reason: str) -> None:
        cast(StateTable, self.table).owner.metrics.count("stores_set_aside_total")
        _log.error("store_set_aside", moved_to=str(move_to_quarantine(path)), reason=reason)

    @contextmanager
    def _telling(self, partition: int) -> Iterator[None]:
        """RocksDB's errors as ours. Damage that shows only now is remembered for the next start."""
        try:
            yield
        except Exception as error:
            path = self.partition_path(partition)
            if is_corruption(error):
                mark_suspect(path, str(error))
            raise StoreFailed(
                f"{path}: {error}. The directory is set by FRAUDSTREAM_WORKER_DATA_DIR."
            ) from error

    def last_offset(self, partition: int) -> int:
        """Of the changelog, up to which this database stands; -1 when nothing was ever written to it."""
        return int(self._db_for_partition(partition).get(self.offset_key) or -1)

    def is_new(self, partition: int) -> bool:
        """True when nothing was ever written to it."""
        return self._db_for_partition(partition).get(self.offset_key) is None

    def size(self) -> StoreSize:
        """Of all partitions that this worker has open; a few microseconds each."""
        databases = list(self._dbs.values())

        def total(name: str) -> int:
            return sum(database.property_int_value(f"rocksdb.{name}") for database in databases)

        stored_bytes = total("total-sst-files-size") + total("cur-size-all-mem-tables")
        return StoreSize(profiles=total("estimate-num-keys"), stored_bytes=stored_bytes)

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        """Stored profiles of ``keys``, None where there is none."""
        with self._telling(partition):
            found: list[bytes | None] = self._db_for_partition(partition).get(keys)
        return found

    def scan(self, partition: int, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """The next ``limit`` stored values behind the key ``after``, in the order of keys.

        No iterator is left behind: one would keep the database open when its partition moves.
        """
        found: list[tuple[bytes, bytes]] = []
        with self._telling(partition):
            entries = self._db_for_partition(partition).iter()
            entries.seek(after + b"\0")  # the smallest key behind it
            while entries.valid() and len(found) < limit:
                found.append((entries.key(), entries.value()))
                entries.next()
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
        with self._telling(partition):
            database = self._db_for_partition(partition)
            database.write(batch)
            cast(BoundedMemory, self.rocksdb_options).flush_over_limit(database)

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: object, to_value: object) -> None:  # noqa: ARG002  # Faust's signature
        """Faust's own replay, should it find anything that the bulk restore left.

        Faust would log an error here and go on with a hole in the state, so an error ends the process.
        """
        with fail_stop("restoring profiles"):
            for partition, messages in _by_partition(batch).items():
                records = [(message.key, message.value) for message in messages]
                keys = [message.key for message in messages]
                stored = dict(zip(keys, self.read(partition, keys), strict=True))
                self.write(partition, newest(records, stored), messages[-1].offset)

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Whatever was kept in memory may be stale from here on."""
        table = cast(StateTable, self.table)
        table.changelog_guard.forget()
        table.owner.on_rebalance_started()
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)


class TableOwner(NamedTuple):
    """What a role gives to its table."""

    kafka: KafkaSettings
    """Of the brokers that hold the changelog."""
    store_options: BoundedMemory
    metrics: Metrics
    on_rebalance_started: Callable[[], None]
    """Called before partitions are reassigned."""
    on_restore_step: Callable[[], None]
    """Called at every step of a restore."""
    require_same_log: Callable[[], Awaitable[None]]
    """Raises LogReplaced when a source topic is not the log that this worker began with."""


class StateTable(Table[bytes, bytes]):
    """A Faust table over a StateStore."""

    def __init__(self, app: faust.App, *, owner: TableOwner, **options: Any) -> None:
        super().__init__(app, **options)
        self.owner = owner
        self.changelog_guard = ChangelogGuard(cast(StateStore, self.data))

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Every active partition's profiles stand where its changelog ended."""
        with fail_stop("taking over partitions"):  # Faust would log it and go on
            await self.owner.require_same_log()
        for tp in active_tps:
            self.changelog_guard.begin(tp.partition, cast(StateStore, self.data).last_offset(tp.partition))
        await super().on_recovery_completed(active_tps, standby_tps)

    def _new_store(self) -> StateStore:
        store = StateStore(
            "rocksdb://", self.app, self, table_name=self.name, key_type=bytes, value_type=bytes
        )
        store.rocksdb_options = cast(RocksDBOptions, self.owner.store_options)
        return store


def state_table(app: faust.App, name: str, partitions: int, owner: TableOwner) -> StateTable:
    """Register a table with the app."""
    table = app.Table(name, partitions=partitions, key_type=bytes, value_type=bytes, owner=owner)
    return cast(StateTable, table)


def _by_partition(batch: Iterable[Any]) -> dict[int, list[Any]]:
    partitions: dict[int, list[Any]] = {}
    for event in batch:
        partitions.setdefault(event.message.partition, []).append(event.message)
    return partitions
