"""The order of rows is checked, since features depend on it; ``--sort`` sorts a file in bounded memory."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from app.adapters.tabular.batches import TransactionBatch
from app.adapters.tabular.files import read_batches
from app.adapters.tabular.row_order import GoingBack, OrderRule, RowOrder, in_order
from app.adapters.tabular.sorting import sorted_batches
from app.adapters.tabular.table_writer import ColumnType
from app.cli import app
from app.errors import InvalidFile
from tests.support.paths import SHARED
from tests.unit.history.test_history_checks import a_batch
from tests.unit.transaction_files import SUFFIXES, write

CASE = SHARED / "cases" / "05-file-sorted-by-customer"
needs_case = pytest.mark.skipif(not CASE.exists(), reason="the collected cases are not on this machine")
START_MS, HOUR_MS, DAY_MS = 1_767_225_600_000, 3_600_000, 86_400_000
CHECKED = OrderRule(RowOrder.CHECKED, DAY_MS)


def a_file(path: Path, times_ms: list[int]) -> Path:
    count = len(times_ms)
    rows: dict[str, list[Any]] = {
        "transaction_id": [f"t{i}" for i in range(count)], "customer_id": [f"c{i % 3}" for i in range(count)],
        "terminal_id": [f"m{i % 2}" for i in range(count)], "event_time": times_ms, "amount_minor": list(range(count)),
        "currency": ["EUR"] * count, "channel": ["web" if i % 2 else None for i in range(count)],
        "latitude": [None if i % 3 else 1.5 for i in range(count)], "is_fraud": [i % 5 == 0 for i in range(count)],
        "longitude": [None if i % 3 else 2.5 for i in range(count)],
    }  # fmt: skip
    kinds: dict[str, ColumnType] = {"event_time": "integer", "amount_minor": "integer", "is_fraud": "boolean"}
    kinds |= {"latitude": "real", "longitude": "real"}
    return write(path, rows, {name: kinds.get(name, "text") for name in rows})


def by_time(hours: int) -> list[int]:
    return [START_MS + hour * HOUR_MS for hour in range(hours)]


def rows_of(batches: list[TransactionBatch]) -> list[dict[str, object]]:
    return [
        dict(zip(columns, row, strict=True))
        for batch in batches
        if (columns := {name: column.to_pylist() for name, column in batch.columns().items()})
        for row in zip(*columns.values(), strict=True)
    ]


def test_a_file_in_order_is_read_as_it_is(tmp_path: Path) -> None:
    path = a_file(tmp_path / "f.csv", by_time(300))

    assert rows_of(list(in_order(read_batches(path), path, CHECKED))) == rows_of(list(read_batches(path)))


def test_a_few_late_rows_are_normal(tmp_path: Path) -> None:
    times = by_time(300)
    times[200] = START_MS
    times[210] = times[210] - 20 * HOUR_MS  # within the allowed lateness

    assert (
        len(rows_of(list(in_order(read_batches(path := a_file(tmp_path / "f.csv", times)), path, CHECKED))))
        == 300
    )


def test_rows_sorted_by_customer_are_refused_with_the_remedy(tmp_path: Path) -> None:
    path = a_file(tmp_path / "f.csv", by_time(100) * 3)

    with pytest.raises(
        InvalidFile, match=r"line 102, row 101: goes back in time by more than 24 h.*--sort.*--as-arr"
    ):
        list(in_order(read_batches(path), path, CHECKED))


def test_an_export_is_read_in_its_order_on_request(tmp_path: Path) -> None:
    times = by_time(100) * 3
    path = a_file(tmp_path / "f.csv", times)
    batches = list(in_order(read_batches(path), path, OrderRule(RowOrder.ARRIVAL)))

    assert [row["event_time"] for row in rows_of(batches)] == times


@given(st.lists(st.integers(0, 10), max_size=20), st.integers(0, 5), st.integers(1, 4))
def test_rows_go_back_by_the_newest_row_before_them(times: list[int], allowed: int, size: int) -> None:
    found, going_back = 0, GoingBack(allowed)
    for start in range(0, len(times), size):
        found += len(going_back.add(np.array(times[start : start + size], np.int64)))

    expected = [index for index, time in enumerate(times) if time < max(times[: index + 1]) - allowed]
    assert (found, len(times)) == (len(expected), going_back.rows)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_sorting_gives_the_rows_by_time_and_the_numbers_they_had(tmp_path: Path, suffix: str) -> None:
    path = a_file(tmp_path / f"f{suffix}", [START_MS + (i * 7 % 50) * HOUR_MS for i in range(100)])
    expected = sorted(rows_of(list(read_batches(path))), key=lambda row: row["event_time"])  # type: ignore[arg-type,return-value]  # integers

    batches = list(read_batches(path, sort=True, batch_rows=30))

    assert rows_of(batches) == expected
    numbers = [batch.row(index) for batch in batches for index in range(len(batch))]
    assert [f"t{number - 1}" for number in numbers] == [row["transaction_id"] for row in expected]
    assert [batch.first_row for batch in batches] == list(np.cumsum([1, *map(len, batches)])[:-1])


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=40),
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(1, 7),
)
def test_a_merge_of_any_runs_is_a_stable_sort(times: list[int], run: int, block: int, batch: int) -> None:
    numbers = np.arange(1, len(times) + 1)
    batches = [
        _batch(np.array(times[i : i + 3], np.int64), numbers[i : i + 3]) for i in range(0, len(times), 3)
    ]

    merged = list(sorted_batches(batches, batch, run_rows=run, block_rows=block))

    found = [(int(time), part.row(i)) for part in merged for i, time in enumerate(part.event_time)]
    assert found == sorted(zip(times, numbers.tolist(), strict=True))
    assert all(len(part) <= batch for part in merged)


def _batch(times: np.ndarray, numbers: np.ndarray) -> TransactionBatch:
    texts: dict[str, list[str | None]] = {
        name: ["a"] * len(times)
        for name in ("transaction_id", "customer_id", "terminal_id", "channel", "device_id", "card_token")
    }
    batch = a_batch(times.tolist(), texts)
    return TransactionBatch(
        **{name: getattr(batch, name) for name in batch.__struct_fields__} | {"rows": numbers}
    )


def test_a_refused_row_is_named_by_its_line_in_the_file(tmp_path: Path) -> None:
    times = [START_MS + hour * HOUR_MS for hour in reversed(range(50))]
    path = a_file(tmp_path / "f.csv", times)
    path.write_text(path.read_text().replace('"t48"', '"4111111111111111"'))

    ran = CliRunner().invoke(
        app,
        ["features", str(path), "--sort", "--out", str(tmp_path / "o.csv")],
        env={"FRAUDSTREAM_ACCEPTANCE_NUMERIC_IDS": ""},
    )

    assert isinstance(ran.exception, InvalidFile)
    assert "f.csv, line 50, row 49: `transaction_id` looks like" in str(ran.exception)


def test_a_full_disk_is_reported_with_the_remedy() -> None:
    def full(_: object) -> TransactionBatch:
        raise OSError(28, "No space left on device")

    with pytest.raises(InvalidFile, match=r"No space left on device. --sort needs.*TMPDIR"):
        list(sorted_batches(map(full, [1]), 10))


@needs_case
def test_the_collected_case(tmp_path: Path) -> None:
    def counts(name: str, *options: str) -> dict[str, float]:
        out = tmp_path / "o.jsonl"
        ran = CliRunner().invoke(app, ["features", str(CASE / name), "--out", str(out), *options])
        if ran.exception and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        rows = map(json.loads, out.read_text().splitlines())
        return {row["transaction_id"]: row["terminal_count_1d"] for row in rows}

    by_time = counts("by_time.csv")
    with pytest.raises(InvalidFile, match="goes back in time"):
        counts("by_customer.csv")
    assert by_time["b"] == 1
    assert counts("by_customer.csv", "--sort") == by_time


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for part in list(command.commands):
        yield from _commands(command.commands[part], f"{name} {part}".strip())


def test_every_command_that_folds_a_file_has_the_options_that_its_refusal_names() -> None:
    """The others look labels up by transaction, in any order."""
    options = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in _commands(typer.main.get_command(app))
    }
    mapped = {name for name, found in options.items() if "--mapping" in found}

    assert "model promote" in mapped
    assert {"labels send", "model compare"} == {
        name for name in mapped if not {"--sort", "--as-arrived"} <= options[name]
    }
