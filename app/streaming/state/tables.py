"""The durable table of states: a Faust table whose RocksDB is written in one atomic batch per partition and round.

Faust names the changelog topic and assigns the partitions. The changed states and their changelog offset go into one
write batch, so that the local database is never ahead of the changelog and never holds a part of a chunk.
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
from app.streaming.state.repair import ChangelogWriter
from app.streaming.state.restore import Versions
from app.streaming.state.rocksdb_memory import BoundedMemory

_log = structlog.get_logger("store")


class StoreSize(NamedTuple):
    """Size of a worker's databases."""

    states: int
    """RocksDB's estimate."""
    stored_bytes: int


class StateStore(Store):
    """RocksDB of one worker: one database per owned partition."""

    offset_key = b""
    """The changelog offset's key. Keys of records are never empty, whereas one could equal Faust's own name for it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._unchanged_since: dict[int, int] = {}

    def _open_for_partition(self, partition: int) -> rocksdict.Rdict:
        """Open a database. A damaged one is moved to quarantine, and an empty one is restored from the changelog."""
        path = self.partition_path(partition)
        if reason := suspect_reason(path):
            self._replace(path, reason)
        try:
            return cast(rocksdict.Rdict, super()._open_for_partition(partition))
        except Exception as error:  # the binding has no error class of its own, only Exception; all but corruption is raised again
            if not is_corruption(error):
                raise
            self._replace(path, str(error))
            return cast(rocksdict.Rdict, super()._open_for_partition(partition))

    def _replace(self, path: Path, reason: str) -> None:
        cast(StateTable, self.table).owner.metrics.count("stores_set_aside_total")
        _log.error("store_quarantined", moved_to=str(move_to_quarantine(path)), reason=reason)

    @contextmanager
    def _translated_errors(self, partition: int) -> Iterator[None]:
        """Raise RocksDB's errors as StoreFailed. A database found damaged is marked for the next start."""
        try:
            yield
        except (
            Exception
        ) as error:  # the binding has no error class of its own, only Exception; translated, never swallowed
            path = self.partition_path(partition)
            if is_corruption(error):
                mark_suspect(path, str(error))
            raise StoreFailed(
                f"{path}: {error}. The directory is set by FRAUDSTREAM_WORKER_DATA_DIR."
            ) from error

    def last_offset(self, partition: int) -> int:
        """Return the last changelog offset that this database includes; -1 for a new database."""
        return int(self._db_for_partition(partition).get(self.offset_key) or -1)

    def unchanged_since(self, partition: int) -> int:
        """Return the first changelog offset from which on, up to ``last_offset``, no state has changed.

        It is at least the offset with which the database was opened.
        """
        return self._unchanged_since.get(partition, self.last_offset(partition))

    def is_new(self, partition: int) -> bool:
        """True when nothing was ever written to the database."""
        return self._db_for_partition(partition).get(self.offset_key) is None

    def size(self) -> StoreSize:
        """Return the size of all open databases; a few microseconds each."""
        databases = list(self._dbs.values())

        def total(name: str) -> int:
            return sum(database.property_int_value(f"rocksdb.{name}") for database in databases)

        stored_bytes = total("total-sst-files-size") + total("cur-size-all-mem-tables")
        return StoreSize(states=total("estimate-num-keys"), stored_bytes=stored_bytes)

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        """Return the stored states of ``keys``, None for unknown keys. Raises StoreFailed."""
        with self._translated_errors(partition):
            found: list[bytes | None] = self._db_for_partition(partition).get(keys)
        return found

    def scan(self, partition: int, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to ``limit`` keys and states after the key ``after``, in key order.

        No iterator outlives the call: it would keep the database open, and locked, after its partition is revoked.
        """
        found: list[tuple[bytes, bytes]] = []
        with self._translated_errors(partition):
            entries = self._db_for_partition(partition).iter()
            entries.seek(after + b"\0")  # the smallest key greater than ``after``
            while entries.valid() and len(found) < limit:
                found.append((entries.key(), entries.value()))
                entries.next()
        return found

    def write(self, partition: int, states: Mapping[bytes, bytes | None], changelog_offset: int) -> None:
        """Write states and the changelog offset they include in one atomic batch; delete keys whose state is None.

        Written apart, a crash between the two would leave states that a restore applies again, or skips.
        """
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in states.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(self.offset_key, str(changelog_offset).encode())
        self._unchanged_since[partition] = changelog_offset if states else self.unchanged_since(partition)
        with self._translated_errors(partition):
            database = self._db_for_partition(partition)
            database.write(batch)
            cast(BoundedMemory, self.rocksdb_options).flush_over_limit(database)

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: object, to_value: object) -> None:  # noqa: ARG002  # Faust's signature
        """Apply records that Faust's own recovery reads after the bulk restore.

        Faust would log an error and continue with states missing, so an error ends the process.
        """
        with fail_stop("restoring profiles"):
            for partition, messages in _by_partition(batch).items():
                records = [(message.key, message.value) for message in messages]
                keys = [message.key for message in messages]
                stored = dict(zip(keys, self.read(partition, keys), strict=True))
                self.write(partition, Versions().newest(records, stored), messages[-1].offset)

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Discard everything in memory: another worker may change the states from now on."""
        table = cast(StateTable, self.table)
        self._unchanged_since.clear()
        table.changelog_guard.revoke()
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
    changelog_writer: ChangelogWriter
    changelog_id: Callable[[], str]
    """The id of the changelog, as its claims name it."""
    require_same_log: Callable[[], Awaitable[None]]
    """Raises LogReplaced when a source topic is not the log that this worker began with."""


class StateTable(Table[bytes, bytes]):
    """A Faust table over a StateStore."""

    def __init__(self, app: faust.App, *, owner: TableOwner, **options: Any) -> None:
        super().__init__(app, **options)
        self.owner = owner
        self.changelog_guard = ChangelogGuard(cast(StateStore, self.data))

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Every active partition is restored up to the end of its changelog: allow writes to it."""
        with fail_stop("taking over partitions"):  # Faust would log an error and continue
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
