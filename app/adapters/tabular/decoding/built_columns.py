"""The raw column of each field of a batch of rows: a column of the file, or one that the mapping builds."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from app.adapters.column_mapping import FIELDS, ColumnMapping
from app.adapters.field_source import Source
from app.adapters.mapped_values.building import builder
from app.adapters.mapped_values.refused import Refused
from app.adapters.mapped_values.text import PAD, TEXT_FIELDS
from app.adapters.tabular.column import Column, plain

_MOST_INTEGER = 2**62


def raw_columns(
    rows: pa.RecordBatch, mapping: ColumnMapping, path: Path, first_row: int
) -> dict[str, Column]:
    """The columns that exist, by field. Raises InvalidFile at the first row of which a field cannot be built."""
    found: dict[str, Column] = {}
    for field in mapping.fields:
        given = mapping.columns.get(field, field)
        source = given if isinstance(given, Source) else None
        if source is None and mapping.column(field) in rows.schema.names:
            array = _unpadded(plain(rows.column(mapping.column(field))), field, mapping)
        elif source is not None and _can_build(source, rows.schema.names):
            array = pa.nulls(rows.num_rows)
        else:
            continue
        column = Column(path=path, name=mapping.column(field), first_row=first_row, array=array)
        found[field] = column if source is None else _built(column, field, source, rows, mapping)
    return found


def _unpadded(array: pa.Array, field: str, mapping: ColumnMapping) -> pa.Array:
    # A CHAR(n) column may hold any declared field; only columns of text are changed.
    may_be_padded = field in TEXT_FIELDS or field not in FIELDS
    is_padded = may_be_padded and mapping.padding == "strip" and pa.types.is_string(array.type)
    return pc.utf8_rtrim(array, PAD) if is_padded else array


def _can_build(source: Source, names: Sequence[str]) -> bool:
    return source.default is not None or all(name in names for name in source.columns)


def _built(
    column: Column, field: str, source: Source, rows: pa.RecordBatch, mapping: ColumnMapping
) -> Column:
    values = list(_values(column, field, source, rows, mapping))
    if all(type(value) is int and abs(value) < _MOST_INTEGER for value in values):
        return column.with_array(pa.array(values, pa.int64()))
    texts = [None if value is None else str(value) for value in values]
    return column.with_array(pa.array(texts, pa.string()))


def _values(
    column: Column, field: str, source: Source, rows: pa.RecordBatch, mapping: ColumnMapping
) -> Iterable[object]:
    build = builder(source, mapping.key)
    names, nothing = rows.schema.names, [None] * rows.num_rows
    inputs = [
        _unpadded(plain(rows.column(name)), field, mapping).to_pylist() if name in names else nothing
        for name in source.columns
    ]
    known: dict[object, object] = {}
    for index in range(rows.num_rows):
        values = tuple(each[index] for each in inputs)
        try:
            if source.row_number or any(isinstance(value, list | dict) for value in values):
                yield build(values, column.first_row + index)
                continue
            if values not in known:
                known[values] = build(values, 0)
        except Refused as refused:
            raise column.refused(index, refused) from None
        yield known[values]
