"""Temporary profiles on disk: one RocksDB database per partition, laid out as in a worker's data directory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rocksdict

from app.adapters.disk import private
from app.errors import ConfigurationError
from app.settings import WorkerSettings
from app.streaming.state.rocksdb_memory import BoundedMemory
from app.topics.topic_specs import PROFILES_TABLE

OFFSET_KEY = b""
"""Key of the changelog offset, as in a worker's databases; no customer has the empty key."""


def database_path(data_dir: Path, partition: int) -> Path:
    """Return the path at which a worker keeps the profiles of a partition."""
    return data_dir / "v1" / "tables" / f"{PROFILES_TABLE}-{partition}.db"


class ScratchStore:
    """Profiles of a replay, apart from those of workers; memory is bounded as in a worker."""

    def __init__(self, directory: Path, settings: WorkerSettings) -> None:
        self._directory = directory
        self._memory = BoundedMemory(settings)
        self._databases: dict[int, Any] = {}

    def is_new(self, partition: int) -> bool:
        """Return whether nothing was ever written to the partition."""
        return self._database(partition).get(OFFSET_KEY) is None

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        found: list[bytes | None] = self._database(partition).get(keys)
        return found

    def write(
        self, partition: int, profiles: Mapping[bytes, bytes | None], changelog_offset: int = -1
    ) -> None:
        """Write all profiles atomically; None deletes a profile."""
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in profiles.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(OFFSET_KEY, str(changelog_offset).encode())
        database = self._database(partition)
        database.write(batch)
        self._memory.flush_over_limit(database)

    def items(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and profile of every customer, in order of key."""
        for key, value in self._database(partition).items():
            if key != OFFSET_KEY:
                yield key, value

    def close(self) -> None:
        for database in self._databases.values():
            database.close()
        self._databases.clear()

    def _database(self, partition: int) -> Any:
        if partition not in self._databases:
            path = database_path(self._directory, partition)
            private.make_folder(path)
            self._databases[partition] = self._memory.open(path)
        return self._databases[partition]


@contextmanager
def open_scratch_store(settings: WorkerSettings, app_id: str = "") -> Iterator[ScratchStore]:
    """Open a store next to the worker's data directory under the name ``app_id``; without a name a temporary one.

    Raises ConfigurationError when the name is that of the live app or its directory exists.
    """
    if not app_id:
        with TemporaryDirectory(prefix="fraudstream-replay-") as temporary:
            yield from _closing(ScratchStore(Path(temporary), settings))
        return
    directory = Path(settings.data_dir).parent / app_id
    if directory.name != app_id:
        raise ConfigurationError(f"--app-id {app_id} is not a directory name.")
    if app_id == settings.app_id or directory.exists():
        raise ConfigurationError(
            f"--app-id {app_id}: {directory} is in use or holds another replay. Choose another name or delete it."
        )
    yield from _closing(ScratchStore(directory, settings))


def _closing(scratch: ScratchStore) -> Iterator[ScratchStore]:
    try:
        yield scratch
    finally:
        scratch.close()


def open_read_only(path: Path) -> Any:
    """Open a database read-only. No other process may have it open."""
    return rocksdict.Rdict(
        str(path), rocksdict.Options(raw_mode=True), access_type=rocksdict.AccessType.read_only()
    )
