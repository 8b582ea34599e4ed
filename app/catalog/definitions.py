"""What a catalog defines. Every value here is checked: names exist, types fit, bounds hold."""

from enum import StrEnum

import msgspec

from app.expressions.names import Kind
from app.expressions.tree import Condition, Quantity

TRANSACTION = "transaction"
"""The entity of features that need the current transaction alone."""
CUSTOMER = "customer"
"""The entity of the partition key: its windows are exact and contain the current transaction."""


class Function(StrEnum):
    """What a feature computes. Of a window, unless said otherwise; n, s, q are its count, sum and sum of squares."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    """s / n."""
    STD = "std"
    """Population standard deviation: sqrt(n*q - s*s) / n."""
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"
    """Number of different values; missing values are not counted."""
    SHARE = "share"
    """Part of the window that matches ``where``."""
    RATIO = "ratio"
    """The current value against the mean of the others: n*x / s."""
    ZSCORE = "zscore"
    """(n*x - s) / sqrt(n*q - s*s), of the others."""
    MAX_RATIO = "max_ratio"
    """The current value against the largest of the others."""
    SECONDS_SINCE_LAST = "seconds_since_last"
    """Since the newest other event of the window; without a window, of all events that the profile knows."""
    SECONDS_SINCE_FIRST = "seconds_since_first"
    """Since the oldest other event of the window."""
    IS_NEW = "is_new"
    """1 where no other event of the window has the current value, 0 where one has."""
    TIME_SIMILARITY = "time_similarity"
    """How usual the time of day is for the others of the window, from -1 to 1."""
    TRAVEL_KMH = "travel_kmh"
    """Speed needed from the last place. No window."""
    FRAUDS = "frauds"
    """Number of events known to be fraud. Of delayed entities."""
    RISK = "risk"
    """FRAUDS / COUNT, 0 for an empty window. Of delayed entities."""
    VALUE = "value"
    """The field itself, of the current transaction."""
    TIME_OF_DAY = "time_of_day"
    """Hours since midnight with fractions, UTC, of the current transaction."""
    WEEKEND = "weekend"
    """1 on Saturday and Sunday, UTC, of the current transaction."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a transaction."""

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    """Of a category."""
    max_length: int = 64
    """Characters of a text or an identifier."""
    minimum: float | None = None
    """Of a number."""
    maximum: float | None = None
    """Of a number."""
    decimals: int = 0
    """Of a number: windows keep it as a whole number of 10**-decimals, rounded half to even, so that sums are exact."""
    required: bool = False
    declared: bool = True
    """Whether the catalog file declares it; else it is part of the contract."""


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """Something that transactions share."""

    name: str
    key: tuple[str, ...]
    """The fields that name it; more than one for a pair."""


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a model's input."""

    name: str
    entity: str
    function: Function | None = None
    """None for a derived feature."""
    of: str | None = None
    """The field of which the function takes the values."""
    where: Condition | None = None
    """Only events that match it are in the window. It sees the fields of the event itself."""
    window_ms: int = 0
    """Width: the window of a transaction at t is (t - window_ms, t]. 0 for a feature without a window."""
    delay_ms: int = 0
    """Time from the end of the window to the transaction, rounded up to a full hour."""
    same: tuple[str, ...] = ()
    """Only events whose values of these fields equal those of the current one are in the window. Missing where one of those is."""
    includes_current: bool = True
    """Whether the current transaction is part of its window. Where ``where`` does not match it, it is not."""
    derive: Quantity | Condition | None = None
    """Computed from fields and from features that stand before it; a condition gives 1 or 0."""
    unit: str = "1"
    meaning: str = ""
    missing: str = "never"
    """When the value is NaN, in words."""


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """All that a deployment knows, in the order of the file."""

    name: str
    reference_currency: str
    fields: tuple[Field, ...]
    """Those of the contract, then the declared ones."""
    entities: tuple[Entity, ...]
    features: tuple[Feature, ...]
