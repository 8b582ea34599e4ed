"""What a profile keeps of each event: its time, its id, one word of flags, and the fields that windows take values of.

The flags of an event say whether it counts (a reversed one does not), which filters it matches, and which of its fields are
present. So whether an event belongs to a window is one comparison: ``flags & need == need``. A missing value is stored as 0
with its presence flag unset. A reserved value would need a comparison in every sum, and would widen the encoding of its column.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import msgspec

from app.catalog.definitions import Catalog, Field
from app.errors import ConfigurationError
from app.expressions import printer
from app.expressions.names import TEXTUAL, Kind
from app.expressions.tree import Condition

TIMES, IDS, FLAGS, FIRST_COLUMN = range(4)
"""Rows of the log; the columns follow."""
LIVE = 1
"""The flag of every event that is not reversed."""
MOST_FLAGS = 62
"""Flags besides LIVE: filters, fields that may be missing, and lists of ``same``."""
MOST_VALUE = 10**15
"""The largest magnitude in a window: 8193 such values have a sum of 63 bits. A value beyond it is missing."""
_FORMAT = 1


class Column(msgspec.Struct, frozen=True):
    """A field that is kept of each event, as a whole number."""

    name: str
    kind: Kind
    decimals: int
    """Of a number: it is kept as a whole number of 10**-decimals."""
    row: int
    """Index in the log."""
    presence: int
    """The flag of the events that have the field; 0 if every event has it."""


class Kept(msgspec.Struct, frozen=True):
    """The columns and filters of a catalog, in the order of names and texts: features in another order need no other state."""

    columns: tuple[Column, ...]
    filters: Mapping[str, Condition]
    """By normal form; the first one has the flag ``2 * LIVE``."""
    digest: int
    """Of 64 bits: profiles with the same digest keep the same. Windows are no part of it."""

    @property
    def rows(self) -> int:
        """Rows of the log."""
        return FIRST_COLUMN + len(self.columns)

    @property
    def flags(self) -> int:
        """Flags in use besides LIVE."""
        return len(self.filters) + sum(column.presence > 0 for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of a field."""
        return next(column for column in self.columns if column.name == name)

    def filter_flag(self, condition: Condition | None) -> int:
        """The flag of the events that match a condition; 0 for none."""
        return 0 if condition is None else LIVE << 1 + list(self.filters).index(printer.text(condition))


def keep(catalog: Catalog, names: Iterable[str], conditions: Iterable[Condition]) -> Kept:
    """Return what profiles keep for windows over these fields and conditions.

    Raises ConfigurationError if they need more flags than a word has.
    """
    filters = dict(sorted((printer.text(condition), condition) for condition in set(conditions)))
    fields = {field.name: field for field in catalog.fields}
    columns, flag = list[Column](), LIVE << 1 + len(filters)
    for row, name in enumerate(sorted(set(names)), start=FIRST_COLUMN):
        field = fields[name]
        present = _always_present(field)
        columns.append(Column(name, field.kind, field.decimals, row, 0 if present else flag))
        flag <<= not present
    kept = Kept(tuple(columns), filters, _digest(catalog, columns, filters))
    require_flags(kept.flags, kept)
    return kept


def require_flags(flags: int, kept: Kept) -> None:
    """Raise ConfigurationError for more flags than the word of an event has."""
    if flags > MOST_FLAGS:
        optional = kept.flags - len(kept.filters)
        raise ConfigurationError(
            f"the features of customers need {flags} flags of an event, at most {MOST_FLAGS} are possible: "
            f"{len(kept.filters)} different filters, {optional} fields that may be missing, {flags - kept.flags} lists "
            "of same; use fewer filters, or declare fields of windows as required"
        )


def _always_present(field: Field) -> bool:
    """Whether every accepted event has the field, within MOST_VALUE."""
    if field.kind is Kind.NUMBER:
        bounds = (field.minimum, field.maximum)
        bounded = all(bound is not None and abs(bound) * 10**field.decimals < MOST_VALUE for bound in bounds)
    else:
        bounded = field.kind in {*TEXTUAL, Kind.BOOLEAN} or not field.declared
    return field.required and bounded


def _digest(catalog: Catalog, columns: list[Column], filters: Mapping[str, Condition]) -> int:
    money = any(column.kind is Kind.MONEY for column in columns) or bool(filters)
    currency = catalog.reference_currency if money else ""
    content = msgspec.json.encode([_FORMAT, currency, columns, list(filters)])
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little", signed=True)
