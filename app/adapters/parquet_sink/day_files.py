"""Writes rows of a topic to Parquet files by day of event time; every offset is in exactly one file.

::

    DIRECTORY/decisions/day=2026-03-01/decisions-3-00000000000000001000-00000000000000001999.parquet
    DIRECTORY/progress/decisions-3.json    the offset up to which partition 3 is in files
    DIRECTORY/progress/decisions-3.begun   names of the files being written; exists only meanwhile

A range of offsets becomes one file for each day in it, including late events of old days. Files are written under a
temporary name, synced and renamed; then the progress file is replaced, which commits the range. If the worker is killed
before that, the next owner of the partition deletes the files named in ``begun`` and reads the range again.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.errors import ConfigurationError, StateCorrupt, StoreFailed

SETTING = "FRAUDSTREAM_ANALYTICS_DIR"


class PartitionProgress(msgspec.Struct, frozen=True):
    """How much of a partition is in files."""

    next_offset: int = 0
    """Every record before it is in a file or unreadable."""
    decided_to: int = -1
    """See FeedRows in ``row_schemas``."""


class OffsetRange(msgspec.Struct, frozen=True):
    """Offsets of one partition from ``first`` to ``last``, both included."""

    feed: str
    partition: int
    first: int
    last: int

    @property
    def file_name(self) -> str:
        return f"{self.feed}-{self.partition}-{self.first:020}-{self.last:020}.parquet"


class DayFiles:
    """A directory shared by all workers of the role. Raises StoreFailed when it cannot be read or written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def bind(self, feed: str, topic: str, topic_id: str) -> None:
        """Store the id of the topic at the first call. Raises ConfigurationError when the files hold another topic."""
        path = self._directory / "progress" / f"{feed}.json"
        with _naming_setting(self._directory):
            if not path.exists():
                _replace(path, msgspec.json.encode({"topic": topic, "topic_id": topic_id}))
            known = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        if known["topic_id"] != topic_id:
            raise ConfigurationError(
                f"the files in {SETTING}={self._directory} hold another {topic} ({known['topic_id']}, now {topic_id}): "
                "it was deleted and created again. Keep them where they are, and set another directory for the new topic."
            )

    def progress(self, feed: str, partition: int) -> PartitionProgress:
        """The progress of a partition, from which reading resumes. Raises StateCorrupt for a damaged file."""
        path = self._progress(feed, partition)
        with _naming_setting(path):
            data = path.read_bytes() if path.exists() else b"{}"
        try:
            return msgspec.json.decode(data, type=PartitionProgress)
        except msgspec.DecodeError as error:
            raise StateCorrupt(
                f"{path} cannot be read ({type(error).__name__}). Write next_offset into it again: the last offset in the "
                "names of the partition's files, plus one."
            ) from error

    def take_over(self, feed: str, partition: int) -> PartitionProgress:
        """Become the owner of a partition: delete files of an uncommitted range and return the progress."""
        progress, begun = self.progress(feed, partition), self._begun(feed, partition)
        with _naming_setting(begun):
            if begun.exists():
                offset_range, paths = msgspec.json.decode(
                    begun.read_bytes(), type=tuple[OffsetRange, list[str]]
                )
                # If the range was committed, only the removal of ``begun`` is missing, and its files must stay.
                for path in paths if offset_range.first >= progress.next_offset else []:
                    (self._directory / path).unlink(missing_ok=True)
                    _unfinished(self._directory / path).unlink(missing_ok=True)
                begun.unlink()  # last: if this process is killed before, the next owner repeats the deletion
        return progress

    def write(
        self,
        offset_range: OffsetRange,
        rows: pa.Table,
        decided_to: int,
        guard: Callable[[], None] = lambda: None,
    ) -> int:
        """Write and commit the rows of a range; returns the number of files. ``guard`` raises to stop before either."""
        paths = {day: self._path(offset_range, day) for day in days_of(rows)}
        begun = self._begun(offset_range.feed, offset_range.partition)
        with _naming_setting(self._directory):
            guard()
            relative = [str(path.relative_to(self._directory)) for path in paths.values()]
            # Durable before the first data file: files of a range that is never committed can then always be found.
            _replace(begun, msgspec.json.encode((offset_range, relative)))
            for day, path in paths.items():
                _write(path, of_day(rows, day).drop_columns(["day"]))
            guard()  # again: writing takes time, and another owner may have the partition by now
            counts = PartitionProgress(offset_range.last + 1, decided_to)
            _replace(self._progress(offset_range.feed, offset_range.partition), msgspec.json.encode(counts))
            begun.unlink()
        return len(paths)

    def _path(self, offset_range: OffsetRange, day: int) -> Path:
        return self._directory / offset_range.feed / f"day={name_of(day)}" / offset_range.file_name

    def _progress(self, feed: str, partition: int) -> Path:
        return self._directory / "progress" / f"{feed}-{partition}.json"

    def _begun(self, feed: str, partition: int) -> Path:
        return self._directory / "progress" / f"{feed}-{partition}.begun"


def days_of(rows: pa.Table) -> list[int]:
    """The days in ``rows`` as days since the epoch, ascending."""
    days: list[int] = np.unique(pc.cast(rows["day"], pa.int32()).to_numpy()).tolist()
    return days


def of_day(rows: pa.Table, day: int) -> pa.Table:
    """The rows of a day, in their order."""
    return rows.filter(pc.equal(pc.cast(rows["day"], pa.int32()), day))


def name_of(day: int) -> str:
    """The ISO 8601 date of a day since the epoch.

    >>> name_of(20_000)
    '2024-10-04'
    """
    return str(np.datetime64(day, "D"))


def replace(path: Path, data: bytes) -> None:
    """Replace the content of a file atomically and durably. Raises StoreFailed."""
    with _naming_setting(path):
        _replace(path, data)


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(path)
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    _sync(path.parent)


def _write(path: Path, rows: pa.Table) -> None:
    """Write rows atomically and durably. The temporary name begins with a dot: DuckDB's globs skip it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(path)
    pq.write_table(rows, unfinished, compression="zstd")
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.rename(path)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    """Sync a directory: a renamed file survives a power cut only after that."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _naming_setting(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreFailed(f"{path}: {error.strerror or error}. The directory is set by {SETTING}.") from error
