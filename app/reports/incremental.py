"""Reads the report of a day from the figures that workers of the role ``analytics`` maintain, without reading events."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from app.adapters.parquet_sink.day_figures import DayFigureFiles, DayFigures, merged
from app.adapters.parquet_sink.row_schemas import DAY_MS, Tables
from app.errors import InvalidFile
from app.reports.day_report import DayReport, Tallies, report


class Kept(NamedTuple):
    """A report, and the partitions in which the day is not complete."""

    report: DayReport
    open_partitions: list[str]
    """Partitions without an event of a later day; more events of this day may follow."""


def kept_report(directory: Path, day: int, name: str, top: int) -> Kept:
    """Return the report of a day. Raises InvalidFile if there are no figures of the day."""
    figures = DayFigureFiles(directory)
    found = figures.read(day)
    decided = {file: one for file, one in found.items() if "places" in one.tables}
    if not decided:
        raise InvalidFile(no_decision(directory / "figures", name))
    return Kept(
        report(name, tallies(merged(found.values())), top), _open(decided, figures.read(day + 1), day)
    )


def no_decision(files: Path, day: str) -> str:
    """The refusal of a day without decisions; it names the days that a folder has."""
    known = sorted({path.parent.name.removeprefix("day=") for path in files.glob("day=*/*")})
    if not known:
        return f"{files} has no decision of any day: is a worker of the role analytics running?"
    return f"{files} has no decision of {day}; its days are from {known[0]} to {known[-1]}, by event time"


def tallies(tables: Tables) -> Tallies:
    """Return the tallies from the merged figures of all partitions."""
    labels = tables.get("labels", _NO_LABELS)
    alerts = tables["alerts"].join(labels, keys="transaction", join_type="left outer")
    said = pc.cast(pc.is_valid(alerts["is_fraud"]), pa.int64())
    fraud = pc.cast(pc.fill_null(alerts["is_fraud"], False), pa.int64())  # pyarrow's signature
    judged = pa.table({name: alerts[name] for name in _PLACE} | {"judged": said, "frauds": fraud})
    return Tallies(
        hours=tables["hours"],
        places=tables["places"],
        judged=judged,
        frauds_known=pc.sum(labels["is_fraud"]).as_py() or 0,
        repeated=tables["repeated"]["repeated"][0].as_py(),
        models=tables.get("models", _NO_MODELS),
        attacks=tables.get("attacks", _NO_ATTACKS),
    )


def _open(today: Mapping[str, DayFigures], tomorrow: Mapping[str, DayFigures], day: int) -> list[str]:
    end_ms = (day + 1) * DAY_MS
    return [file for file, one in today.items() if one.newest_event_time < end_ms and file not in tomorrow]


_NO_MODELS = pa.table({"model": [], "digest": [], "transactions": []})
_NO_ATTACKS = pa.table({"currency": []})
"""Figures that were counted before version 0.2 have neither."""
_PLACE = ("terminal_id", "country", "outcome")
_NO_LABELS = pa.table({"transaction": pa.array([], pa.int64()), "is_fraud": pa.array([], pa.bool_())})
