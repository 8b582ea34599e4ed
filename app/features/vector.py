"""Computes the features of one transaction from its windows, in the catalog's order.

With n, s, q the count, sum and sum of squares of a window: mean = s / n, std = sqrt(n*q - s*s) / n. These are exact
integers until each is rounded once to a double before the division.
"""

from math import nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.features.catalog import BASELINES, PROFILE, WINDOW_NAMES, column, require_width
from app.features.compiled import compiled
from app.features.exact import spread, square, subtract
from app.features.geo import distance_km
from app.features.window import DAY_MS, HOUR_MS, NEVER_MS, WINDOWS, Event

_PER_WINDOW = 4
"""Count, sum, mean and standard deviation of amounts."""
_PER_BASELINE = 2
"""Ratio and z-score of the amount."""
_SINGLE = 6
"""Amount, hour, weekend, count at the terminal, seconds since the last transaction, speed of travel."""
WIDTH = _PER_WINDOW * WINDOWS + _PER_BASELINE * len(BASELINES) + _SINGLE
"""Columns that ``fill`` and ``travel_kmh`` write."""
require_width(__name__, WIDTH, PROFILE)

_AMOUNT = column("transaction_amount")
_HOUR = column("transaction_hour")
_WEEKEND = column("transaction_weekend")
_FIRST_WINDOW = column(f"customer_count_{WINDOW_NAMES[0]}")
_FIRST_BASELINE = column(f"customer_amount_ratio_{WINDOW_NAMES[BASELINES[0]]}")
_TERMINAL_COUNT = column(f"customer_terminal_count_{WINDOW_NAMES[-1]}")
_SECONDS_SINCE_LAST = column("customer_seconds_since_last")
TRAVEL_KMH = column("customer_travel_kmh")
"""The column of ``travel_kmh``, which the caller of ``fill`` writes."""

_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
_SATURDAY = 5
_HOUR_SECONDS = 3600
_SHORTEST_TRIP_SECONDS = 1.0

Row = NDArray[np.float64]


@compiled
def fill(row: Row, view: Any, event: Event) -> None:
    """Write all features of the profile but TRAVEL_KMH; ``row`` has the shape (WIDTH,)."""
    time_ms, amount = event.time_ms, event.amount
    row[_AMOUNT] = amount
    row[_HOUR] = time_ms % DAY_MS / HOUR_MS
    row[_WEEKEND] = 1 if (time_ms // DAY_MS + _EPOCH_WEEKDAY) % 7 >= _SATURDAY else 0
    at = _FIRST_WINDOW
    for w in range(WINDOWS):
        n, s = view.counts[w], view.totals[w]
        row[at], row[at + 1], row[at + 2] = n, s, s / n
        row[at + 3] = sqrt(spread(n, s, view.squares_high[w], view.squares_low[w])) / n
        at += _PER_WINDOW
    at = _FIRST_BASELINE
    for w in BASELINES:
        row[at], row[at + 1] = _against_others(amount, view, w)
        at += _PER_BASELINE
    row[_TERMINAL_COUNT] = view.same_terminal
    row[_SECONDS_SINCE_LAST] = nan if view.previous_ms == NEVER_MS else (time_ms - view.previous_ms) / 1000


@compiled
def travel_kmh(profile: Any, time_ms: int, latitude: float, longitude: float) -> float:
    """Return the speed in km/h from the customer's last location to this one, which becomes the last location.

    NaN if one of them is unknown, or if the event is older than the last location; then that location stays. A trip
    takes at least a second, so the speed is finite.
    """
    has_last, last_ms = not np.isnan(profile.latitude), profile.place_ms
    if np.isnan(latitude) or (has_last and time_ms < last_ms):
        return nan
    speed = nan
    if has_last:
        seconds = max((time_ms - last_ms) / 1000, _SHORTEST_TRIP_SECONDS)
        way_km = distance_km(profile.latitude, profile.longitude, latitude, longitude)
        speed = way_km * _HOUR_SECONDS / seconds
    profile.place_ms, profile.latitude, profile.longitude = time_ms, latitude, longitude
    return speed


@compiled
def _against_others(amount: int, view: Any, window: int) -> tuple[float, float]:
    """Return the ratio and the z-score of an amount against the other events of a window; NaN if undefined.

    z = (a - s/n) / std = (n*a - s) / sqrt(n*q - s*s), with n, s, q of the other events: with the event itself
    included, a single large amount would hide itself in its own mean.
    """
    n, s = view.counts[window] - 1, view.totals[window] - amount
    high, low = square(amount)
    high, low = subtract(view.squares_high[window], view.squares_low[window], high, low)
    varies = spread(n, s, high, low)
    ratio = n * amount / s if s else nan
    return ratio, (n * amount - s) / sqrt(varies) if varies else nan
