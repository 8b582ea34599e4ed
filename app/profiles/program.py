"""The program that the compiled fold interprets: windows, aggregates and formulas as arrays of records."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.profiles.aggregates import Integers

SAME = np.dtype(
    [
        ("flag", "<i8"),  # of the events whose values equal those of the current one
        ("row", "<i8"),  # of the log, with values to compare
        ("begins", "<i8"),  # 1 for the first row of a flag
    ]
)
AGGREGATE = np.dtype(
    [
        ("group", "<i8"),
        ("need", "<i8"),  # flags of the events that belong to it
        ("row", "<i8"),  # of the log, with the values
        ("includes", "<i8"),  # DISTINCT: 1 if the current event belongs to it where it has the flags
        ("reach", "<i8"),  # number of windows, from the narrowest to the widest that a feature needs
        ("slot", "<i8"),  # index of the first result
    ]
)
FORMULA = np.dtype(
    [
        ("kind", "<i8"),
        ("output", "<i8"),  # index of the feature
        ("window", "<i8"),
        ("row", "<i8"),  # of the log, with the field
        ("scale", "<i8"),
        ("slot", "<i8"),
        ("need", "<i8"),  # flags with which the current event belongs to the window
        ("all_slot", "<i8"),  # SHARE: the aggregate without the filter
        ("all_need", "<i8"),
        ("includes", "<i8"),  # 1 if the current event belongs to the window where it has the flags
        ("requires", "<i8"),  # flags without which the current event has no value of the feature
    ]
)
Records = NDArray[Any]


class Program(NamedTuple):
    """All that does not depend on events. Arrays of records: a tuple of arrays costs reference counting at every access."""

    windows_ms: Integers
    """Distinct widths, ascending."""
    same: Records
    aggregates: Records
    formulas: Records
    slots: int
    """Results of all aggregates in one window."""
    travel: int
    """Index of the feature TRAVEL_KMH; -1 without one."""
