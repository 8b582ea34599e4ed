"""The 15 features of the Fraud Detection Handbook's published tables, computed independently of the product.

Amount, weekend, night; of the customer the count and mean amount over 1, 7 and 30 days; of the terminal the count and
the share of frauds over 1, 7 and 30 days that ended 7 days ago (its chapter 3, "Baseline feature transformation").
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

DAY_SECONDS = 86_400
WINDOWS_DAYS = (1, 7, 30)
DELAY_DAYS = 7
NIGHT_UNTIL_HOUR = 6
_SATURDAY = 5

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


class Handbook(NamedTuple):
    """The columns of the file, in order of time."""

    seconds: Integers
    """Seconds since the epoch, UTC."""
    customers: Integers
    terminals: Integers
    amounts: Reals
    frauds: NDArray[np.bool_]
    scenarios: Integers


def read(path: Path) -> Handbook:
    table = pyarrow.parquet.read_table(path)
    return Handbook(
        seconds=table["TX_DATETIME"].to_numpy().astype("datetime64[s]").astype(np.int64),
        customers=table["CUSTOMER_ID"].to_numpy().astype(np.int64),
        terminals=table["TERMINAL_ID"].to_numpy().astype(np.int64),
        amounts=table["TX_AMOUNT"].to_numpy(),
        frauds=table["TX_FRAUD"].to_numpy() == 1,
        scenarios=table["TX_FRAUD_SCENARIO"].to_numpy().astype(np.int64),
    )


def features(data: Handbook) -> Reals:
    """Return one row per transaction, with columns in the order of the module docstring."""
    days, seconds = data.seconds // DAY_SECONDS, data.seconds % DAY_SECONDS
    ones, frauds = np.ones(len(data.seconds)), data.frauds.astype(np.float64)
    columns = [
        data.amounts,
        ((days + 3) % 7 >= _SATURDAY).astype(np.float64),
        (seconds // 3600 <= NIGHT_UNTIL_HOUR).astype(np.float64),
    ]
    for window in WINDOWS_DAYS:
        count = window_sum(data.customers, data.seconds, ones, window)
        columns += [count, window_sum(data.customers, data.seconds, data.amounts, window) / count]
    for window in WINDOWS_DAYS:
        count = window_sum(data.terminals, data.seconds, ones, window, DELAY_DAYS)
        known = window_sum(data.terminals, data.seconds, frauds, window, DELAY_DAYS)
        columns += [count, known / np.maximum(count, 1)]
    return np.column_stack(columns)


def window_sum(
    entities: Integers, seconds: Integers, values: Reals, window_days: int, delay_days: int = 0
) -> Reals:
    """Return, for each row, the sum of ``values`` over its entity's ``window_days`` that ended ``delay_days`` before."""
    keys = entities * 2**40 + seconds
    order = np.argsort(keys, kind="stable")
    ranked, sums = keys[order], np.concatenate([[0.0], np.cumsum(values[order])])
    until = np.searchsorted(ranked, keys - delay_days * DAY_SECONDS, side="right")
    start = np.searchsorted(ranked, keys - (delay_days + window_days) * DAY_SECONDS, side="right")
    found: Reals = sums[until] - sums[start]
    return found
