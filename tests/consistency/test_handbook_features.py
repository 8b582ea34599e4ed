"""``fraudstream features`` on the Handbook's 1.5 million transactions equals a recount that shares no code with app.

The recount knows the definitions of the features only: windows ``(t - w, t]`` by binary search over each
customer's times, sums by differences of cumulative integer sums. It folds nothing. Every fraud is known a week later.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from app.cli import app
from tests.support.paths import SHARED

HANDBOOK = SHARED / "data" / "handbook" / "transactions.parquet"
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
WINDOWS = {"1h": HOUR_MS, "1d": DAY_MS, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS}

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


class Recount:
    """The features of a table that is in order of time, columns by name, rows in the table's order."""

    def __init__(self, table: pa.Table) -> None:
        self.times = table["TX_DATETIME"].cast(pa.timestamp("ms")).cast(pa.int64()).to_numpy()
        self.amounts = np.round(table["TX_AMOUNT"].to_numpy() * 100).astype(np.int64)
        self.customers = table["CUSTOMER_ID"].to_numpy()
        self.terminals = table["TERMINAL_ID"].to_numpy()
        self.frauds = table["TX_FRAUD"].to_numpy().astype(np.int64)
        assert (np.diff(self.times) >= 0).all()

    def columns(self) -> dict[str, Integers | Reals]:
        columns = self._of_transactions()
        columns |= {name: np.full(len(self.times), np.nan) for name in self._customer_names()}
        order = np.argsort(self.customers, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(self.customers[order])) + 1):
            for name, values in self._of_customer(rows).items():
                columns[name][rows] = values
        columns["customer_terminal_count_30d"] = self._at_same_terminal()
        columns["customer_travel_kmh"] = np.full(len(self.times), np.nan)
        for window in ("1d", "7d", "30d"):
            counts, frauds = self._a_week_ago(self.terminals, WINDOWS[window])
            columns[f"terminal_count_{window}"] = counts
            columns[f"terminal_risk_{window}"] = np.where(counts > 0, frauds / np.maximum(counts, 1), 0.0)
        columns["customer_frauds_30d"] = self._a_week_ago(self.customers, WINDOWS["30d"])[1]
        return columns

    def _a_week_ago(self, entities: Integers, width: int) -> tuple[Integers, Integers]:
        """Transactions, and frauds among them, in a window that ends at the full hour seven days before each row."""
        counts, frauds = np.zeros((2, len(self.times)), np.int64)
        order = np.argsort(entities, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(entities[order])) + 1):
            times, known = self.times[rows], np.concatenate([[0], np.cumsum(self.frauds[rows])])
            end_ms = (times - 7 * DAY_MS) // HOUR_MS * HOUR_MS
            start, end = (np.searchsorted(times, edge, side="right") for edge in (end_ms - width, end_ms))
            counts[rows], frauds[rows] = end - start, known[end] - known[start]
        return counts, frauds

    def _of_transactions(self) -> dict[str, Integers | Reals]:
        weekday = pc.day_of_week(pa.array(self.times).cast(pa.timestamp("ms"))).to_numpy()
        return {
            "transaction_amount": self.amounts.astype(np.float64),
            "transaction_hour": (self.times % DAY_MS) / HOUR_MS,
            "transaction_weekend": (weekday >= 5).astype(np.float64),
        }

    def _customer_names(self) -> list[str]:
        functions = ("count", "amount_sum", "amount_mean", "amount_std")
        names = [f"customer_{function}_{window}" for window in WINDOWS for function in functions]
        names += [
            f"customer_amount_{kind}_{window}" for window in ("7d", "30d") for kind in ("ratio", "zscore")
        ]
        return [*names, "customer_seconds_since_last"]

    def _of_customer(self, rows: Integers) -> dict[str, Integers | Reals]:
        times, amounts = self.times[rows], self.amounts[rows]
        columns: dict[str, Integers | Reals] = {}
        for window, width in WINDOWS.items():
            n, s, q = sums(times, amounts, width)
            columns[f"customer_count_{window}"] = n
            columns[f"customer_amount_sum_{window}"] = s
            columns[f"customer_amount_mean_{window}"] = s / n
            columns[f"customer_amount_std_{window}"] = np.sqrt(n * q - s * s) / n
            if window in {"7d", "30d"}:
                ratio, zscore = against(amounts, n - 1, s - amounts, q - amounts * amounts)
                columns[f"customer_amount_ratio_{window}"] = ratio
                columns[f"customer_amount_zscore_{window}"] = zscore
        columns["customer_seconds_since_last"] = np.concatenate([[np.nan], np.diff(times) / 1000])
        return columns

    def _at_same_terminal(self) -> Reals:
        counts = np.empty(len(self.times))
        order = np.lexsort((np.arange(len(self.times)), self.terminals, self.customers))
        changes = (np.diff(self.customers[order]) != 0) | (np.diff(self.terminals[order]) != 0)
        for rows in np.split(order, np.flatnonzero(changes) + 1):
            counts[rows] = sums(self.times[rows], self.amounts[rows], 30 * DAY_MS)[0]
        return counts


def sums(times: Integers, amounts: Integers, width: int) -> tuple[Integers, Integers, Integers]:
    """Count, sum and sum of squares over ``(t - width, t]`` up to and including each event."""
    start = np.searchsorted(times, times - width, side="right")
    end = np.arange(1, len(times) + 1)
    total = np.concatenate([[0], np.cumsum(amounts)])
    squares = np.concatenate([[0], np.cumsum(amounts * amounts)])
    return end - start, total[end] - total[start], squares[end] - squares[start]


def against(amounts: Integers, n: Integers, s: Integers, q: Integers) -> tuple[Reals, Reals]:
    """The amount over the mean of the others, and its distance from it in their standard deviations."""
    spread = n * q - s * s
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(s > 0, n * amounts / s, np.nan)
        zscore = np.where(spread > 0, (n * amounts - s) / np.sqrt(spread), np.nan)
    return ratio, zscore


@pytest.mark.skipif(not HANDBOOK.exists(), reason=f"the Handbook's transactions are not at {HANDBOOK}")
@pytest.mark.parametrize("one_customer_in", [pytest.param(1, marks=pytest.mark.slow), 10])
def test_every_feature_of_the_handbook_equals_a_recount_to_the_bit(
    one_customer_in: int, tmp_path: Path
) -> None:
    """All rows of some customers, or of all."""
    out, chosen = tmp_path / "features.parquet", tmp_path / "transactions.parquet"
    rows = pyarrow.parquet.read_table(HANDBOOK)
    source = rows.filter(pa.array(rows["CUSTOMER_ID"].to_numpy() % one_customer_in == 0))
    pyarrow.parquet.write_table(source, chosen)

    ran = CliRunner().invoke(app, ["features", str(chosen), "--mapping", "handbook", "--out", str(out)])

    assert ran.exit_code == 0, ran.output
    assert len(source) > 100_000
    expected = Recount(source).columns()
    found = pyarrow.parquet.ParquetFile(out)
    assert found.schema_arrow.names[1:] == sorted(expected, key=found.schema_arrow.names.index)
    ids = found.read(["transaction_id"])["transaction_id"]
    assert ids.combine_chunks().equals(source["TRANSACTION_ID"].cast(pa.string()).combine_chunks())
    for name, values in expected.items():
        column = found.read([name])[name].to_numpy()
        different = np.flatnonzero(~((column == values) | (np.isnan(column) & np.isnan(values))))
        assert different.size == 0, f"{name}: {different.size} rows differ, the first is {different[:1]}"
