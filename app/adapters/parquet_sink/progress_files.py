"""How much of each partition is in Parquet files, and which files are being written.

A progress file that is missing or cut is derived from the names of the data files: power loss never skips or repeats a row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from app.adapters.disk import durable_file
from app.adapters.parquet_sink.repeats import Reached
from app.domain.words import named
from app.errors import ConfigurationError, StateCorrupt, StoreFailed

SETTING = "FRAUDSTREAM_ANALYTICS_DIR"


class PartitionProgress(msgspec.Struct, frozen=True):
    """How much of a partition is in files."""

    next_offset: int = 0
    """Every record before it is in a file or unreadable."""
    decided_to: int = -1
    """See FeedRows in ``row_schemas``."""
    decided_beyond: int | msgspec.UnsetType = msgspec.UNSET
    """See Reached in ``repeats``; not stored while there is none."""

    @property
    def reached(self) -> Reached:
        """The source offsets of the decisions in files."""
        beyond = -1 if self.decided_beyond is msgspec.UNSET else self.decided_beyond
        return Reached(self.decided_to, beyond)


class OffsetRange(msgspec.Struct, frozen=True):
    """Offsets of one partition from ``first`` to ``last``, both included."""

    feed: str
    partition: int
    first: int
    last: int

    @property
    def file_name(self) -> str:
        return f"{self.feed}-{self.partition}-{self.first:020}-{self.last:020}.parquet"


class _Binding(msgspec.Struct, frozen=True):
    """The topic whose records the files hold."""

    topic: str
    topic_id: str


_Begun = tuple[OffsetRange, list[str]]


class ProgressFiles:
    """The folder ``progress`` of a directory of day files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._folder = directory / "progress"

    def bind(self, feed: str, topic: str, topic_id: str) -> None:
        """Store the id of the topic at the first call.

        Raises ConfigurationError when the files hold another topic, StateCorrupt when the stored id cannot be read.
        """
        path = self._folder / f"{feed}.json"
        if not (path.exists() and path.stat().st_size) and not self._holds(feed):
            durable_file.replace(path, msgspec.json.encode(_Binding(topic, topic_id)))
        try:
            known = msgspec.json.decode(path.read_bytes(), type=_Binding).topic_id
        except (FileNotFoundError, msgspec.DecodeError) as error:
            raise StateCorrupt(
                f"{path} cannot be read ({named(error)}), so the topic of the files is unknown. If {topic} was not "
                f'deleted and created again since they were written, write {{"topic":"{topic}","topic_id":"{topic_id}"}} '
                "into it. If it was, keep the files where they are, and set another directory for the new topic."
            ) from error
        if known != topic_id:
            raise ConfigurationError(
                f"the files in {SETTING}={self._directory} hold another {topic} ({known}, now {topic_id}): "
                "it was deleted and created again. Keep them where they are, and set another directory for the new topic."
            )

    def read(self, feed: str, partition: int) -> PartitionProgress:
        """The progress of a partition, from which reading resumes."""
        try:
            return msgspec.json.decode(self._progress(feed, partition).read_bytes(), type=PartitionProgress)
        except (FileNotFoundError, msgspec.DecodeError):
            return self._of_data_files(feed, partition)

    def begin(self, offset_range: OffsetRange, paths: list[Path]) -> None:
        """Record the files of a range durably, before the first of them is written."""
        relative = [str(path.relative_to(self._directory)) for path in paths]
        begun = self._begun(offset_range.feed, offset_range.partition)
        durable_file.replace(begun, msgspec.json.encode((offset_range, relative)))

    def commit(self, offset_range: OffsetRange, reached: Reached) -> None:
        """Count the range as written. All of its files are durable."""
        feed, partition = offset_range.feed, offset_range.partition
        beyond = msgspec.UNSET if reached.decided_beyond < 0 else reached.decided_beyond
        progress = PartitionProgress(offset_range.last + 1, reached.decided_to, beyond)
        durable_file.replace(self._progress(feed, partition), msgspec.json.encode(progress))
        self.end(feed, partition)

    def end(self, feed: str, partition: int) -> None:
        """No file of the partition is being written."""
        self._begun(feed, partition).unlink(missing_ok=True)

    def uncommitted(self, feed: str, partition: int, next_offset: int) -> list[Path]:
        """The files of a range that was begun and never committed, under their final names."""
        if not self._begun(feed, partition).exists():
            return []
        begun = self._read_begun(feed, partition)
        if begun is None:
            return [path for path in self._data_files(feed, partition) if _first_offset(path) >= next_offset]
        offset_range, paths = begun
        # If the range was committed, only the removal of ``begun`` is missing, and its files must stay.
        return [self._directory / path for path in paths] if offset_range.first >= next_offset else []

    def _of_data_files(self, feed: str, partition: int) -> PartitionProgress:
        """The progress that the data files prove. A range that may be incomplete is read again."""
        files = self._data_files(feed, partition)
        if self._begun(feed, partition).exists():
            begun = self._read_begun(feed, partition)
            # Where its content is lost, the newest range may be the one being written.
            incomplete = begun[0].first if begun else max(map(_first_offset, files), default=0)
            files = [path for path in files if _first_offset(path) < incomplete]
        next_offset = max(map(_last_offset, files), default=-1) + 1
        return PartitionProgress(next_offset, max(map(_decided_to, files), default=-1))

    def _read_begun(self, feed: str, partition: int) -> _Begun | None:
        try:
            begun: _Begun = msgspec.json.decode(self._begun(feed, partition).read_bytes(), type=_Begun)
        except msgspec.DecodeError:
            return None
        return begun

    def _data_files(self, feed: str, partition: int) -> list[Path]:
        """The files of a partition, also those being written, under their final names."""
        found = (self._directory / feed).glob(f"day=*/*{feed}-{partition}-*.parquet*")
        return sorted({path.with_name(path.name.removeprefix(".").removesuffix(".tmp")) for path in found})

    def _holds(self, feed: str) -> bool:
        """Whether anything was stored of a feed."""
        stored = (f"{feed}/day=*/*", f"figures/day=*/{feed}-*", f"progress/{feed}-*")
        return any(any(self._directory.glob(pattern)) for pattern in stored)

    def _progress(self, feed: str, partition: int) -> Path:
        return self._folder / f"{feed}-{partition}.json"

    def _begun(self, feed: str, partition: int) -> Path:
        return self._folder / f"{feed}-{partition}.begun"


@contextmanager
def naming_setting(path: Path) -> Iterator[None]:
    """Raise errors of the disk as StoreFailed, with the setting's name."""
    try:
        yield
    except OSError as error:
        raise StoreFailed(f"{path}: {error.strerror or error}. The directory is set by {SETTING}.") from error


def _first_offset(path: Path) -> int:
    return int(path.stem.split("-")[-2])


def _last_offset(path: Path) -> int:
    return int(path.stem.split("-")[-1])


def _decided_to(path: Path) -> int:
    """The greatest source offset in a file; -1 in a file of labels, which have none."""
    if not path.exists() or "source_offset" not in pq.read_schema(path).names:
        return -1
    found: list[int] = pq.read_table(path, columns=["source_offset"], partitioning=None)[0].to_pylist()
    return max(found, default=-1)
