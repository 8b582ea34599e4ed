"""Aggregates of the day report, updated while records arrive: one file for each partition and day.

Each file holds the offset up to which it has counted, so rows that are read again after a kill are not counted twice. A
missing file is rebuilt from the Parquet files.

::

    DIRECTORY/figures/day=2026-03-01/decisions-3.bin
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.adapters.parquet_sink.day_files import days_of, name_of, of_day, replace
from app.adapters.parquet_sink.row_schemas import ATTACK_KEY, ATTACK_SUMS, WORST_ALERT, Feed, Tables
from app.domain.words import named
from app.errors import StateCorrupt

Merge = Callable[[pa.Table], pa.Table]
"""Merges rows with the same keys into one; merging merged rows again changes nothing."""


class DayFigures(msgspec.Struct, frozen=True):
    """The aggregates of one partition and day."""

    next_offset: int
    newest_event_time: int
    """Milliseconds since the epoch: the newest event of the partition, of any day, when this was written."""
    tables: dict[str, bytes]


def _summed(*keys: str) -> Merge:
    def merge(rows: pa.Table) -> pa.Table:
        values = [name for name in rows.column_names if name not in keys]
        sums = rows.group_by(list(keys), use_threads=False).aggregate([(name, "sum") for name in values])
        return sums.rename_columns([name.removesuffix("_sum") for name in sums.column_names]).select(
            [*keys, *values]
        )

    return merge


def _latest(rows: pa.Table) -> pa.Table:
    """Keep the label reported last of each transaction; among equal times the one that arrived last."""
    order = [(name, "descending") for name in ("reported_at", "kafka_offset")]
    newest_first = rows.sort_by(order)
    chosen = newest_first.group_by("transaction", use_threads=False).aggregate(
        [(name, "first") for name in newest_first.column_names if name != "transaction"]
    )
    return chosen.rename_columns([name.removesuffix("_first") for name in chosen.column_names]).select(
        rows.column_names
    )


def _worst(rows: pa.Table) -> pa.Table:
    """Add the alerts of each attack, and keep the worst of them."""
    directions = dict.fromkeys(WORST_ALERT, "ascending") | {"score": "descending"}
    ordered = rows.sort_by(list(directions.items()))
    wanted = [*((name, "sum") for name in ATTACK_SUMS), *((name, "first") for name in WORST_ALERT)]
    merged = ordered.group_by(list(ATTACK_KEY), use_threads=False).aggregate(wanted)
    names = [name.removesuffix("_sum").removesuffix("_first") for name in merged.column_names]
    return merged.rename_columns(names).select(rows.column_names)


MERGES: Mapping[str, Merge] = {
    "hours": _summed("hour", "outcome"),
    "places": _summed("terminal_id", "country", "currency", "outcome"),
    "repeated": _summed(),
    "models": _summed("model", "digest"),
    "attacks": _worst,
    "alerts": lambda rows: rows,
    "labels": _latest,
}


class DayFigureFiles:
    """The files of aggregates in a directory. Raises StoreFailed when it cannot be read or written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "figures"
        self._files = directory

    def count(self, feed: Feed, partition: int, rows: pa.Table, next_offset: int) -> None:
        """Add rows of one partition, in order of offset, to their days; rows that are counted already are skipped."""
        newest_ms = pc.max(pc.cast(rows["event_time"], pa.int64())).as_py()
        for day in days_of(rows):
            path = self._path(feed.name, partition, day)
            known = _read(path) or self._from_files(feed, partition, day)
            fresh = of_day(rows, day)
            if known is not None:
                fresh = fresh.filter(pc.greater_equal(fresh["kafka_offset"], known.next_offset))
            if len(fresh):
                tables = together([_tables(known), feed.keep(fresh)])
                newest = max(newest_ms, known.newest_event_time if known else 0)
                replace(path, msgspec.msgpack.encode(DayFigures(next_offset, newest, _encoded(tables))))

    def read(self, day: int) -> dict[str, DayFigures]:
        """The aggregates of a day (days since the epoch) by file name, one file per topic and partition."""
        paths = sorted((self._directory / f"day={name_of(day)}").glob("*.bin"))
        found = {path.stem: _read(path) for path in paths}
        return {name: figures for name, figures in found.items() if figures is not None}

    def _from_files(self, feed: Feed, partition: int, day: int) -> DayFigures | None:
        """Aggregates rebuilt from Parquet files. None before a day's first rows: aggregates are written before the rows."""
        written = sorted(
            (self._files / feed.name / f"day={name_of(day)}").glob(f"{feed.name}-{partition}-*.parquet")
        )
        if not written:
            return None
        rows = pa.concat_tables(pq.read_table(path, partitioning=None) for path in written)
        next_offset = pc.max(rows["kafka_offset"]).as_py() + 1
        newest_ms = pc.max(pc.cast(rows["event_time"], pa.int64())).as_py()
        return DayFigures(next_offset, newest_ms, _encoded(together([feed.keep(rows)])))

    def _path(self, feed: str, partition: int, day: int) -> Path:
        return self._directory / f"day={name_of(day)}" / f"{feed}-{partition}.bin"


def together(parts: Sequence[Tables]) -> Tables:
    """Merge aggregates of several partitions or of several chunks."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {
        name: MERGES[name](pa.concat_tables(part[name] for part in parts if name in part)) for name in names
    }


def merged(figures: Iterable[DayFigures]) -> Tables:
    """Merge the aggregates of all partitions."""
    return together([_tables(one) for one in figures])


def _tables(figures: DayFigures | None) -> Tables:
    return {
        name: pa.ipc.open_stream(data).read_all()
        for name, data in (figures.tables if figures else {}).items()
    }


def _encoded(tables: Tables) -> dict[str, bytes]:
    encoded = {}
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        encoded[name] = sink.getvalue().to_pybytes()
    return encoded


def _read(path: Path) -> DayFigures | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=DayFigures)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise StateCorrupt(
            f"{path} cannot be read ({named(error)}). Delete it: the worker rebuilds it from the Parquet files, "
            "and `fraudstream report DAY --from-events` works without it."
        ) from error
