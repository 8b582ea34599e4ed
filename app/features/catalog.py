"""The ordered, versioned list of features that the stream, training and the daily batch compute (vector.py, entities.py).

A feature is named ``{entity}_{function}_{window}``. A missing value is NaN, never zero, and ``missing`` gives the reason.
Raise ``VERSION`` with every change of the list: a model only loads with the catalog whose digest it names.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import msgspec

from app.features.entities import (
    DELAY_MS,
    DELAYED_WIDTHS_MS,
    DELAYED_WINDOW_NAMES,
    ENTITIES,
    DelayedEntity,
    Function,
)
from app.features.window import HOUR_MS, WIDTHS_MS

VERSION = 2

WINDOW_NAMES = ("1h", "1d", "7d", "30d")
BASELINES = (2, 3)
"""Indexes of the windows, 7d and 30d, with which an amount is compared."""


class Feature(msgspec.Struct, frozen=True):
    """One column of the model's input."""

    name: str
    entity: str
    """The first word of the name."""
    unit: str
    meaning: str
    missing: str = "never"
    """When the value is NaN, in words."""
    window_ms: int = 0
    """Width of the window; 0 for a feature without one."""
    delay_ms: int = 0
    """Time from the end of the window to the transaction, rounded up to a full hour; 0 if the window ends with the transaction."""

    def start_ms(self, event_time_ms: int) -> int:
        """Return the exclusive start of the window of a transaction."""
        end_ms = event_time_ms - self.delay_ms
        return end_ms - (end_ms % HOUR_MS if self.delay_ms else 0) - self.window_ms


def _customer(function: str, window: int, unit: str, meaning: str, missing: str = "never") -> Feature:
    name = f"customer_{function}_{WINDOW_NAMES[window]}"
    return Feature(name, "customer", unit, f"{meaning}, {WINDOW_NAMES[window]}", missing, WIDTHS_MS[window])


_DELAYED = {
    Function.COUNT: ("transactions", "transactions of this {}"),
    Function.FRAUDS: ("transactions", "transactions of this {} known to be fraud"),
    Function.RISK: ("1", "share of transactions of this {} known to be fraud"),
}
"""Unit and meaning by function; both are part of the digest."""


def delayed_features(entity: DelayedEntity) -> Iterator[Feature]:
    """Yield the columns of one delayed entity."""
    for function, window in entity.features:
        name, (unit, meaning) = DELAYED_WINDOW_NAMES[window], _DELAYED[function]
        yield Feature(
            f"{entity.name}_{function}_{name}",
            entity.name,
            unit,
            f"{meaning.format(entity.name)}, {name} up to a week ago",
            f"not known, or no {entity.field}",
            DELAYED_WIDTHS_MS[window],
            DELAY_MS,
        )


def _features() -> Iterator[Feature]:
    entity = "transaction"
    yield Feature("transaction_amount", entity, "minor units", "amount of this transaction")
    yield Feature("transaction_hour", entity, "hours", "time of day, UTC, with fractions")
    yield Feature("transaction_weekend", entity, "0 or 1", "1 on Saturday and Sunday, UTC")
    for window in range(len(WIDTHS_MS)):
        yield _customer("count", window, "transactions", "transactions, this one included")
        yield _customer("amount_sum", window, "minor units", "sum of amounts")
        yield _customer("amount_mean", window, "minor units", "mean amount")
        yield _customer("amount_std", window, "minor units", "population standard deviation of amounts")
    for window in BASELINES:
        yield _customer(
            "amount_ratio", window, "1", "amount / mean of the others", "no other amount above zero"
        )
        yield _customer(
            "amount_zscore", window, "1", "(amount - mean) / std of the others", "others do not vary"
        )
    yield _customer("terminal_count", 3, "transactions", "transactions at this terminal, this one included")
    entity = "customer"
    yield Feature(
        "customer_seconds_since_last", entity, "seconds", "since the previous transaction", "the first"
    )
    yield Feature("customer_travel_kmh", entity, "km/h", "speed needed from the last place", "no place known")


_OF_PROFILE = tuple(_features())
_OF_ENTITIES = tuple(tuple(delayed_features(entity)) for entity in ENTITIES)
FEATURES: tuple[Feature, ...] = (*_OF_PROFILE, *(each for features in _OF_ENTITIES for each in features))
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
WIDTH = len(FEATURES)
"""Columns of a row, the model's input."""
PROFILE = slice(0, len(_OF_PROFILE))
"""Columns computed from the transaction and its customer's profile (vector.py)."""
DELAYED = slice(PROFILE.stop, WIDTH)
"""Columns of the delayed entities (delayed_features.py)."""
DIGEST = sha256(msgspec.json.encode([VERSION, FEATURES])).hexdigest()[:16]
"""Identifies this catalog: its version, order, names and meanings."""


def column(name: str) -> int:
    """The index of a feature in a row. Raises ImportError for a name that the catalog does not list."""
    if name not in NAMES:
        raise ImportError(f"app/features/catalog.py lists no feature {name}, but a module computes it.")
    return NAMES.index(name)


def require_width(assembler: str, width: int, columns: slice) -> None:
    """Raise ImportError unless an assembler of rows writes as many columns as the catalog lists in ``columns``.

    Each assembler calls this at import: with one column too few or too many, every column behind it would hold the
    value of another feature, and models would score without an error.
    """
    listed = NAMES[columns]
    if width != len(listed):
        raise ImportError(
            f"{assembler} writes {width} columns, but app/features/catalog.py lists {len(listed)} features for it "
            f"({listed[0]} to {listed[-1]}). Change both together and raise the catalog's VERSION."
        )


class Coverage(NamedTuple):
    """How far back the state of a customer or of a delayed entity reaches, as of one transaction."""

    first_seen_ms: int
    """Time of the first transaction; a window that begins before it is warming up."""
    evicted_ms: int
    """Time of the newest evicted transaction or label; a window that begins before it is saturated."""
