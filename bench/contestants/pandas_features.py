"""The features of app/features/catalog.py in pandas, written as pandas users would: the baseline of the batch bench.

Windows are pandas' rolling windows over each customer's rows in order of time; everything else works on whole columns. It
does without the checks of the input, late rows and repeated ids. A rolling window ends with its row and includes earlier
rows of the same instant, as ours does.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.features.catalog import NAMES
from app.features.geo import EARTH_RADIUS_KM

WINDOWS = ("1h", "1D", "7D", "30D")
BASELINES = ("7D", "30D")
_SATURDAY = 5
_HOUR = pd.Timedelta("1h")

Column = NDArray[Any]
Columns = dict[str, Column]


def features(transactions: pd.DataFrame) -> pd.DataFrame:
    """Return every feature of every row, in the order of the rows and of the catalog.

    The columns are those of the event schema with ``event_time`` as timestamps; the index has no duplicates. Rows of the
    same instant must be in order of arrival.
    """
    ordered = transactions.sort_values(["customer_id", "event_time"], kind="stable")
    columns = (
        _of_transactions(ordered)
        | _of_customers(ordered)
        | {"customer_terminal_count_30d": _at_terminal(ordered)}
        | {"customer_travel_kmh": _travel_kmh(ordered)}
        | _of_terminals_and_past_frauds(ordered)
    )
    return pd.DataFrame({name: columns[name] for name in NAMES}, index=ordered.index).sort_index()


def _of_transactions(ordered: pd.DataFrame) -> Columns:
    times = ordered["event_time"]
    return {
        "transaction_amount": ordered["amount_minor"].to_numpy(np.float64),
        "transaction_hour": ((times - times.dt.normalize()) / _HOUR).to_numpy(),
        "transaction_weekend": (times.dt.day_of_week >= _SATURDAY).to_numpy(np.float64),
        "customer_seconds_since_last": times.groupby(ordered["customer_id"], sort=False)
        .diff()
        .dt.total_seconds()
        .to_numpy(),
    }


def _of_customers(ordered: pd.DataFrame) -> Columns:
    amounts = ordered["amount_minor"].to_numpy()
    powers = ordered[["customer_id", "event_time"]].assign(n=1, s=amounts, q=amounts**2)
    customers = powers.set_index("event_time").groupby("customer_id", sort=False)[["n", "s", "q"]]
    columns: Columns = {}
    for window in WINDOWS:
        # Sums of integers are exact below 2**53, and n*q - s*s below 2**63.
        n, s, q = customers.rolling(window).sum().to_numpy().astype(np.int64).T
        columns |= _of_window(window.lower(), n, s, q)
        if window in BASELINES:
            columns |= _against_others(window.lower(), amounts, n - 1, s - amounts, q - amounts**2)
    return columns


def _of_window(window: str, n: Column, s: Column, q: Column) -> Columns:
    return {
        f"customer_count_{window}": n.astype(np.float64),
        f"customer_amount_sum_{window}": s.astype(np.float64),
        f"customer_amount_mean_{window}": s / n,
        f"customer_amount_std_{window}": np.sqrt(n * q - s * s) / n,
    }


def _against_others(window: str, amounts: Column, n: Column, s: Column, q: Column) -> Columns:
    """Return ratio and z-score of the amount; NaN where there are no other amounts or they do not vary."""
    spread = n * q - s * s
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            f"customer_amount_ratio_{window}": np.where(s > 0, n * amounts / s, np.nan),
            f"customer_amount_zscore_{window}": np.where(
                spread > 0, (n * amounts - s) / np.sqrt(spread), np.nan
            ),
        }


def _at_terminal(ordered: pd.DataFrame) -> Column:
    """Count per pair of customer and terminal, with the result in the order of the rows."""
    pair = ordered.groupby(["customer_id", "terminal_id"], sort=False).ngroup().to_numpy()
    timed = pd.DataFrame({"pair": pair, "n": 1}, index=pd.DatetimeIndex(ordered["event_time"]))
    counts = timed.groupby("pair", sort=False)["n"].rolling("30D").count()
    restored = np.empty(len(ordered))
    restored[np.argsort(pair, kind="stable")] = counts.to_numpy()
    return restored


def _travel_kmh(ordered: pd.DataFrame) -> Column:
    """Return the speed from the customer's previous position; a trip takes at least one second."""
    if "latitude" not in ordered:
        return np.full(len(ordered), np.nan)
    placed = ordered.dropna(subset=["latitude", "longitude"])
    before = placed.groupby("customer_id", sort=False)[["event_time", "latitude", "longitude"]].shift()
    seconds = (placed["event_time"] - before["event_time"]).dt.total_seconds().clip(lower=1.0)
    speeds: Column = (_distance_km(before, placed) * 3600 / seconds).reindex(ordered.index).to_numpy()
    return speeds


def _distance_km(start: pd.DataFrame, end: pd.DataFrame) -> pd.Series:
    """Return the great-circle distance by the haversine formula."""
    phi_a, phi_b = np.radians(start["latitude"]), np.radians(end["latitude"])
    half_phi = np.sin((phi_b - phi_a) / 2)
    half_lambda = np.sin(np.radians(end["longitude"] - start["longitude"]) / 2)
    chord = half_phi**2 + np.cos(phi_a) * np.cos(phi_b) * half_lambda**2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(chord.clip(upper=1.0)))


def _of_terminals_and_past_frauds(ordered: pd.DataFrame) -> Columns:
    """Count windows that end a week before, whose frauds are all known, with NumPy on integer columns."""
    columns: Columns = {}
    for days in (1, 7, 30):
        counts, frauds = _a_week_ago(ordered, "terminal_id", days)
        columns[f"terminal_count_{days}d"] = counts
        columns[f"terminal_risk_{days}d"] = frauds / np.maximum(counts, 1)
    columns["customer_frauds_30d"] = _a_week_ago(ordered, "customer_id", 30)[1]
    return columns


def _a_week_ago(ordered: pd.DataFrame, entity: str, days: int) -> tuple[Column, Column]:
    """Return the numbers of transactions and of frauds of each row's entity up to the full hour a week before it."""
    day, hour = pd.Timedelta("1D").value, _HOUR.value
    times = ordered["event_time"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    is_fraud = ordered["is_fraud"].to_numpy() if "is_fraud" in ordered else np.zeros(len(times), np.int64)
    counts, frauds = np.zeros((2, len(times)))
    for rows in ordered.groupby(entity, sort=False).indices.values():
        in_time = rows[np.argsort(times[rows], kind="stable")]
        own, known = times[in_time], np.concatenate([[0], np.cumsum(is_fraud[in_time])])
        end = (own - 7 * day) // hour * hour
        start, stop = (np.searchsorted(own, edge, side="right") for edge in (end - days * day, end))
        counts[in_time], frauds[in_time] = stop - start, known[stop] - known[start]
    return counts, frauds
