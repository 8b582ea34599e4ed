"""Contacts, control records and analytics files, kept as they were written: every later release must read them."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from app.adapters.parquet_sink.day_files import DayFiles
from app.adapters.parquet_sink.progress_files import PartitionProgress
from app.adapters.serde import contact_codec
from app.adapters.topic_records.control_log import ControlLog
from app.reports.batch import batch_report
from app.reports.incremental import kept_report
from tests.contract.golden_records import (
    ANALYTICS,
    CONTACT,
    CONTACT_FILE,
    CONTROL_FILE,
    DAY,
    LABEL,
    ORDERS,
    REPORT,
    SKIP,
    control_line,
    control_records,
    decisions,
)

NAME = "2024-10-04"


def test_a_kept_contact_is_read_and_written_again_as_it_is() -> None:
    kept = bytes.fromhex(CONTACT_FILE.read_text("ascii"))

    assert contact_codec.decode(kept) == CONTACT
    assert contact_codec.encode(CONTACT) == kept


def test_kept_control_records_give_the_same_orders_and_reports() -> None:
    log = ControlLog()
    for offset, line in enumerate(CONTROL_FILE.read_text("utf-8").splitlines()):
        kept = json.loads(line)
        log.apply(SimpleNamespace(key=kept["key"].encode(), value=kept["value"].encode(), offset=offset))

    assert (log.orders.champion, log.orders.challengers, log.orders.canary) == tuple(ORDERS.values())
    assert log.reports == {REPORT.worker: REPORT}
    assert list(log.skips.values()) == [SKIP]


def test_the_same_control_records_are_still_written() -> None:
    assert CONTROL_FILE.read_text("utf-8").splitlines() == [*map(control_line, control_records())]


def rows(feed: str) -> pa.Table:
    (path,) = (ANALYTICS / feed / f"day={NAME}").glob("*.parquet")
    return pq.read_table(path, partitioning=None)


def test_kept_parquet_files_hold_what_was_written() -> None:
    written, kept = decisions(), rows("decisions")
    assert kept["transaction_id"].to_pylist() == [one["transaction_id"] for one in written]
    assert kept["score"].to_pylist() == [one["score"] for one in written]
    assert kept["repeated"].to_pylist() == [False, False, True]
    assert rows("labels")["is_fraud"].to_pylist() == [LABEL["is_fraud"]]


def test_a_day_is_reported_from_kept_figures_and_from_kept_rows() -> None:
    by_figures = kept_report(ANALYTICS, DAY, NAME, top=5).report
    by_rows = batch_report(ANALYTICS, NAME, top=5)

    # Kept figures of version 0.1 name neither models nor customers.
    assert by_figures == msgspec.structs.replace(by_rows, models=[], attacks=[])
    assert (["cards/2"], 1) == ([one.model for one in by_rows.models], len(by_rows.attacks))
    assert (by_figures.repeated, by_figures.total.transactions, by_figures.total.frauds) == (1, 2, 1)


def test_a_worker_resumes_behind_kept_files(tmp_path: Path) -> None:
    directory = Path(shutil.copytree(ANALYTICS, tmp_path / "files"))
    files = DayFiles(directory)
    files.bind("decisions", "fraud.decisions.v1", "AAAAAAAAAAAAAAAAAAAAAA")

    assert msgspec.to_builtins(files.take_over("decisions", 0)) == msgspec.to_builtins(
        PartitionProgress(next_offset=3, decided_to=6)
    )
