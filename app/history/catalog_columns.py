"""The fields of a batch as the columns that expressions and profiles take."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.adapters.tabular.batches import TransactionBatch
from app.catalog.definitions import Catalog, Field
from app.computation.catalog_columns import absent
from app.expressions.names import TEXTUAL, Kind
from app.expressions.vector.columns import Chunk, ChunkColumn, Texts, Truth, integers, numbers


def batch_columns(batch: TransactionBatch, catalog: Catalog, needed: frozenset[str]) -> Chunk:
    """The fields of the catalog, in its order. Those that are not ``needed`` are empty: texts cost a search each."""
    return Chunk(
        [
            _column(batch, field, catalog) if field.name in needed else absent(field.kind, len(batch))
            for field in catalog.fields
        ],
        len(batch),
    )


def _column(batch: TransactionBatch, field: Field, catalog: Catalog) -> ChunkColumn:
    if field.name == "amount":
        same = pc.equal(batch.currency, catalog.reference_currency)
        return integers(batch.amount_minor, same.to_numpy(zero_copy_only=False))
    if field.name == "event_time":
        return integers(batch.event_time, np.ones(len(batch), np.bool_))
    if field.name in {"latitude", "longitude"}:
        return numbers(batch.places()[field.name == "longitude"])
    if field.kind in TEXTUAL:
        codes, distinct = batch.texts(field.name)
        return Texts(codes, tuple(distinct))
    found = batch.declared.get(field.name)
    return absent(field.kind, len(batch)) if found is None else _values(found, field.kind)


def _values(found: pa.Array, kind: Kind) -> ChunkColumn:
    if kind is Kind.NUMBER:
        return numbers(np.array(found.to_numpy(zero_copy_only=False), np.float64))
    present = found.is_valid().to_numpy(zero_copy_only=False)
    if kind is Kind.BOOLEAN:
        true = found.fill_null(fill_value=False).to_numpy(zero_copy_only=False)
        return Truth(true, present & ~true)
    return integers(found.fill_null(0).to_numpy(zero_copy_only=False), present)
