"""Decodes the columns of fields that a catalog declares, a whole column at a time, by the field's type and bounds.

Every function raises InvalidFile at the first invalid value, with its row and column. Messages never hold a value.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.adapters.column_mapping import ColumnMapping
from app.adapters.tabular.column import Column
from app.adapters.tabular.decoding import column_decoders
from app.adapters.tabular.decoding.time_columns import event_times
from app.catalog.definitions import Field
from app.domain.transaction import MAX_AMOUNT_MINOR
from app.expressions.names import Kind

_Decoder = Callable[[Column, Field], pa.Array]


def declared_column(column: Column, field: Field) -> pa.Array:
    """The column as the type of its field: text, double, boolean, or integers of minor units or milliseconds."""
    if field.required:
        column.refuse_nulls()
    return _DECODERS[field.kind](column, field)


def decimal_fields(mapping: ColumnMapping) -> set[str]:
    """The names of declared fields whose values may have decimals."""
    return {field.name for field in mapping.declared if field.kind is Kind.NUMBER}


def _texts(column: Column, field: Field) -> pa.Array:
    return column_decoders.texts(column, required=False, max_length=field.max_length)


def _category(column: Column, field: Field) -> pa.Array:
    texts = column.cast(pa.string(), "text")
    unknown = pc.and_(texts.is_valid(), pc.invert(pc.is_in(texts, pa.array(field.values, pa.string()))))
    column.refuse_where(unknown, f"must be one of {', '.join(field.values)}")
    return texts


def _number(column: Column, field: Field) -> pa.Array:
    values = column.cast(pa.float64(), "a number")
    column.refuse_where(pc.invert(pc.is_finite(values)), "must be finite")
    if field.minimum is not None:
        column.refuse_where(pc.less(values, field.minimum), f"must be at least {field.minimum:g}")
    if field.maximum is not None:
        column.refuse_where(pc.greater(values, field.maximum), f"must be at most {field.maximum:g}")
    return values


def _money(column: Column, _: Field) -> pa.Array:
    if pa.types.is_floating(column.array.type) or pa.types.is_decimal(column.array.type):
        raise column.wrong_type("integers of minor units")
    values = column.cast(pa.int64(), "an integer of minor units")
    beyond = pc.or_(pc.greater(values, MAX_AMOUNT_MINOR), pc.less(values, -MAX_AMOUNT_MINOR))
    column.refuse_where(beyond, f"must lie within {MAX_AMOUNT_MINOR:,} minor units")
    return values


def _boolean(column: Column, _: Field) -> pa.Array:
    if pa.types.is_integer(column.array.type):
        column.refuse_where(pc.invert(pc.is_in(column.array, pa.array([0, 1, None]))), "must be 0 or 1")
    return column.cast(pa.bool_(), "a boolean, or 0 or 1")


def _time(column: Column, _: Field) -> pa.Array:
    present = np.flatnonzero(column.array.is_valid())
    times = np.zeros(len(column.array), np.int64)
    times[present] = event_times(column.taken(present), "ms")
    absent = np.ones(len(times), np.bool_)
    absent[present] = False
    return pa.array(times, pa.int64(), mask=absent)


_DECODERS: Mapping[Kind, _Decoder] = MappingProxyType(
    {
        Kind.TEXT: _texts,
        Kind.IDENTIFIER: _texts,
        Kind.CATEGORY: _category,
        Kind.NUMBER: _number,
        Kind.MONEY: _money,
        Kind.BOOLEAN: _boolean,
        Kind.TIME: _time,
    }
)
