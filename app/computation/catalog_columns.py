"""The fields of transactions as the columns that expressions and profiles take."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from app.catalog.definitions import Catalog, Feature, Field
from app.domain.transaction import Transaction
from app.expressions.names import TEXTUAL, Kind
from app.expressions.tree import named
from app.expressions.vector.columns import (
    Chunk,
    ChunkColumn,
    Texts,
    Truth,
    Values,
    integers,
    numbers,
    texts,
    truths,
)

ON_THE_WIRE: Mapping[str, str] = MappingProxyType({"amount": "amount_minor"})
"""The name of a field in records, where it differs."""


def transaction_columns(
    transactions: Sequence[Transaction], catalog: Catalog, needed: frozenset[str]
) -> Chunk:
    """The fields of the catalog, in its order. Those that are not ``needed`` are empty."""
    count = len(transactions)
    same = np.array([each.currency == catalog.reference_currency for each in transactions], np.bool_)
    return Chunk(
        [
            _column(transactions, field, same) if field.name in needed else absent(field.kind, count)
            for field in catalog.fields
        ],
        count,
    )


def _column(transactions: Sequence[Transaction], field: Field, same_currency: Any) -> ChunkColumn:
    name = ON_THE_WIRE.get(field.name, field.name)
    column = _COLUMNS[field.kind]([getattr(transaction, name) for transaction in transactions])
    if field.name == "amount" and isinstance(column, Values):
        return Values(column.data, column.present & same_currency)
    return column


def absent(kind: Kind, count: int) -> ChunkColumn:
    """A column without values."""
    nothing = np.zeros(count, np.bool_)
    if kind in TEXTUAL:
        return Texts(np.full(count, -1, np.int32), ())
    if kind is Kind.BOOLEAN:
        return Truth(nothing, nothing)
    return Values(np.zeros(count, np.float64 if kind is Kind.NUMBER else np.int64), nothing)


def needed_fields(catalog: Catalog) -> frozenset[str]:
    """The fields that a feature of the catalog reads."""
    fields = {field.name for field in catalog.fields}
    named = {name for feature in catalog.features for name in _names(feature)}
    return frozenset(fields & named) | {"latitude", "longitude", "event_time"}


def _names(feature: Feature) -> set[str]:
    trees = [found for found in (feature.where, feature.derive) if found is not None]
    columns = {name for found in trees for name in named(found)}
    return {*feature.same, *columns, *([feature.of] if feature.of else [])}


def _integers(cells: Sequence[int | None]) -> Values:
    data = np.array([0 if cell is None else cell for cell in cells], np.int64)
    return integers(data, np.array([cell is not None for cell in cells], np.bool_))


def _numbers(cells: Sequence[float | None]) -> Values:
    return numbers(np.array([np.nan if cell is None else cell for cell in cells], np.float64))


_COLUMNS: Mapping[Kind, Callable[[Sequence[Any]], ChunkColumn]] = MappingProxyType(
    {
        Kind.NUMBER: _numbers,
        Kind.MONEY: _integers,
        Kind.TIME: _integers,
        Kind.BOOLEAN: truths,
        Kind.TEXT: texts,
        Kind.IDENTIFIER: texts,
        Kind.CATEGORY: texts,
    }
)
