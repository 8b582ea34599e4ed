"""The fields of a batch as the columns that expressions and profiles take."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.adapters.tabular.batches import TransactionBatch
from app.catalog.definitions import Catalog, Field
from app.expressions.names import TEXTUAL, Kind
from app.expressions.vector.columns import Chunk, ChunkColumn, Texts, Truth, integers, numbers


def chunk_of(batch: TransactionBatch, catalog: Catalog, needed: frozenset[str]) -> Chunk:
    """The fields of the catalog, in its order. Those that are not ``needed`` are empty: texts cost a search each."""
    return Chunk(
        [_column(batch, field, catalog, field.name in needed) for field in catalog.fields], len(batch)
    )


def _column(batch: TransactionBatch, field: Field, catalog: Catalog, is_needed: bool) -> ChunkColumn:
    if field.name == "amount":
        return integers(batch.amount_minor, _convertible(batch, catalog.reference_currency))
    if field.name == "event_time":
        return integers(batch.event_time, np.ones(len(batch), np.bool_))
    if field.kind in TEXTUAL:
        return _texts(batch, field.name) if is_needed else Texts(np.full(len(batch), -1, np.int32), ())
    if field.name in {"latitude", "longitude"}:
        return numbers(batch.places()[field.name == "longitude"])
    found = batch.declared.get(field.name)
    return _values(pa.nulls(len(batch)) if found is None else found, field.kind)


def _convertible(batch: TransactionBatch, currency: str) -> np.ndarray:
    """Where the amount is in the reference currency. In another one it is missing: there are no rates yet."""
    same: np.ndarray = pc.equal(batch.currency, currency).to_numpy(zero_copy_only=False)
    return same


def _texts(batch: TransactionBatch, name: str) -> Texts:
    codes, distinct = batch.texts(name)
    return Texts(codes, tuple(distinct))


def _values(found: pa.Array, kind: Kind) -> ChunkColumn:
    present = found.is_valid().to_numpy(zero_copy_only=False)
    if kind is Kind.BOOLEAN:
        true = found.cast(pa.bool_()).fill_null(value=False).to_numpy(zero_copy_only=False)
        return Truth(true, present & ~true)
    if kind is Kind.NUMBER:
        return numbers(found.cast(pa.float64()).to_numpy(zero_copy_only=False))
    return integers(found.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), present)


def columns_of(fields: Sequence[Field], names: Sequence[str]) -> frozenset[str]:
    """The names that are fields."""
    return frozenset(field.name for field in fields) & frozenset(names)
