"""What each function of a feature takes and gives. A new function is a member of ``Function`` and a row here."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from app.catalog.definitions import Feature, Field, Function
from app.expressions import kinds
from app.expressions.names import TEXTUAL, Kind


class Scope(StrEnum):
    """Of which events a function sees."""

    CURRENT = "the current transaction"
    """Features of the entity transaction."""
    WINDOW = "a window of the customer"
    """The current transaction included."""
    DELAYED = "a window of an entity that ends a delay ago"


class Use(StrEnum):
    """Whether a feature may or must have a key."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


NOTHING: frozenset[Kind] = frozenset()
QUANTITIES = frozenset({Kind.NUMBER, Kind.MONEY})
DISTINGUISHABLE = TEXTUAL | QUANTITIES


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """What the keys of a feature may be, and what its value is."""

    scopes: frozenset[Scope]
    of: frozenset[Kind] = NOTHING
    """Types of the field in ``of``; without one, it takes none."""
    window: Use = Use.REQUIRED
    where: Use = Use.OPTIONAL
    """Of ``where``, and whether there may be ``same``."""
    may_exclude_current: bool = False
    unit: str | None = None
    """None: that of the field in ``of``."""
    gives: Kind | None = Kind.NUMBER
    """The type in expressions; None: that of the field in ``of``."""
    meaning: str
    """With ``{of}`` for the field."""
    missing: str = "never"
    """When the value is NaN, in words."""
    missing_when_empty: bool = False
    """Whether the value is NaN where the window is empty: without the current transaction it can be."""


_CURRENT, _WINDOW = frozenset({Scope.CURRENT}), frozenset({Scope.WINDOW})
_DELAYED = frozenset({Scope.DELAYED})


def _aggregate(meaning: str, *, empty: bool = True) -> Signature:
    """A function of all values in the window."""
    return Signature(
        scopes=_WINDOW,
        of=QUANTITIES,
        may_exclude_current=True,
        gives=None,
        meaning=meaning,
        missing_when_empty=empty,
    )


def _against_others(meaning: str, missing: str) -> Signature:
    """A function of the current value and those of the other events."""
    return Signature(scopes=_WINDOW, of=QUANTITIES, unit="1", meaning=meaning, missing=missing)


def _seconds(meaning: str, window: Use) -> Signature:
    return Signature(
        scopes=_WINDOW, window=window, unit="seconds", meaning=meaning, missing="no other transaction"
    )


def _of_current(
    unit: str | None, meaning: str, gives: Kind | None = Kind.NUMBER, of: frozenset[Kind] = NOTHING
) -> Signature:
    """A function of the current transaction alone."""
    return Signature(
        scopes=_CURRENT, of=of, window=Use.NONE, where=Use.NONE, unit=unit, gives=gives, meaning=meaning
    )


def _labelled(unit: str, meaning: str) -> Signature:
    """A function of what is known to be fraud."""
    return Signature(scopes=_DELAYED, where=Use.NONE, unit=unit, meaning=meaning)


FUNCTIONS: Mapping[Function, Signature] = MappingProxyType({
    Function.COUNT: Signature(
        scopes=_WINDOW | _DELAYED, may_exclude_current=True, unit="transactions", meaning="transactions"
    ),
    Function.SUM: _aggregate("sum of {of}", empty=False),
    Function.MEAN: _aggregate("mean of {of}"),
    Function.STD: _aggregate("population standard deviation of {of}"),
    Function.MIN: _aggregate("smallest {of}"),
    Function.MAX: _aggregate("largest {of}"),
    Function.DISTINCT: Signature(
        scopes=_WINDOW, of=DISTINGUISHABLE, may_exclude_current=True, unit="values", meaning="different values of {of}"
    ),
    Function.SHARE: Signature(
        scopes=_WINDOW, where=Use.REQUIRED, may_exclude_current=True, unit="1", meaning="share of transactions",
        missing_when_empty=True,
    ),
    Function.RATIO: _against_others("{of} / mean of the others", "the others add up to zero, or there is none"),
    Function.ZSCORE: _against_others("({of} - mean) / std of the others", "the others do not vary"),
    Function.MAX_RATIO: _against_others("{of} / largest of the others", "the largest of the others is zero, or there is none"),
    Function.SECONDS_SINCE_LAST: _seconds("since the previous transaction", Use.OPTIONAL),
    Function.SECONDS_SINCE_FIRST: _seconds("since the oldest other transaction", Use.REQUIRED),
    Function.IS_NEW: Signature(
        scopes=_WINDOW, of=DISTINGUISHABLE, unit="0 or 1", gives=Kind.BOOLEAN, meaning="1 where no other transaction has this {of}"
    ),
    Function.TIME_SIMILARITY: Signature(
        scopes=_WINDOW, unit="1", meaning="how usual the time of day is, -1 to 1", missing="no other transaction"
    ),
    Function.TRAVEL_KMH: Signature(
        scopes=_WINDOW, window=Use.NONE, where=Use.NONE, unit="km/h", meaning="speed needed from the last place",
        missing="no place known",
    ),
    Function.FRAUDS: _labelled("transactions", "transactions known to be fraud"),
    Function.RISK: _labelled("1", "share of transactions known to be fraud"),
    Function.VALUE: _of_current(None, "{of} of this transaction", None, QUANTITIES | {Kind.BOOLEAN}),
    Function.TIME_OF_DAY: _of_current("hours", "time of day, UTC, with fractions"),
    Function.WEEKEND: _of_current("0 or 1", "1 on Saturday and Sunday, UTC", Kind.BOOLEAN),
})  # fmt: skip


def value_kind(feature: Feature, fields: Mapping[str, Field | None]) -> Kind:
    """The type of a feature's value in expressions. Money of a mean is rounded there, half to even."""
    if feature.derive is not None:
        return kinds.kind(feature.derive)
    gives = FUNCTIONS[feature.function].gives if feature.function else Kind.NUMBER
    field = fields.get(feature.of or "")
    return gives or (field.kind if field else Kind.NUMBER)
