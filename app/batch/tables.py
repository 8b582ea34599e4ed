"""Builds the columns of the files that the batch commands write, from folded rows."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.adapters.tabular.table_writer import ColumnType, Values
from app.computation.feature_set import FeatureSet
from app.domain.outcomes.outcome import Outcome
from app.features.fold import Integers
from app.history.fold_history import FoldedBatch
from app.scoring import scorer
from app.scoring.model import Model

Columns = Mapping[str, Values]

SCORES_SCHEMA: dict[str, ColumnType] = {
    "transaction_id": "text",
    "customer_id": "text",
    "event_time": "integer",
    "amount_minor": "integer",
    "score": "real",
    "outcome": "text",
    "model_name": "text",
    "model_version": "text",
    "model_digest": "text",
    "degraded": "text",
}


class ScoredTable(NamedTuple):
    """A scored batch."""

    columns: Columns
    alerts: Integers
    """Indexes of the rows to review or decline."""
    declines: int


def feature_columns(features: FeatureSet) -> dict[str, ColumnType]:
    """The columns of features."""
    return dict.fromkeys(features.names, "real")


def features_schema(features: FeatureSet) -> dict[str, ColumnType]:
    """The columns of ``features_table``."""
    return {"transaction_id": "text", **feature_columns(features)}


def features_table(part: FoldedBatch) -> Columns:
    """Return one row per transaction: its id and every feature, in the catalog's order."""
    return {"transaction_id": part.batch.transaction_id.take(part.applied), **_feature_columns(part)}


def scores_table(part: FoldedBatch, model: Model, *, with_features: bool) -> ScoredTable:
    """Return one row per transaction with the fields of its decision; ``degraded`` contains flags separated by spaces."""
    batch, rows, reference, thresholds = part.batch, part.rows, model.reference, model.thresholds
    scores = model.score(rows)
    severity = (scores >= thresholds.review).astype(np.int8) + (scores >= thresholds.decline)
    event_times = batch.event_time[part.applied]
    columns: dict[str, Values] = {
        "transaction_id": batch.transaction_id.take(part.applied),
        "customer_id": _texts(batch.customer_id.codes[part.applied], batch.customer_id.texts),
        "event_time": event_times,
        "amount_minor": batch.amount_minor[part.applied],
        "score": scores,
        "outcome": _texts(severity, [outcome.value for outcome in Outcome]),
        "model_name": _same(reference.name, len(rows)),
        "model_version": _same(reference.version, len(rows)),
        "model_digest": _same(reference.digest, len(rows)),
        "degraded": _texts(
            scorer.degradations(part.folded, event_times, part.applied, part.fold.computation.longest_ms),
            list(map(" ".join, scorer.DEGRADED)),
        ),
    }
    if with_features:
        columns |= _feature_columns(part)
    return ScoredTable(columns, np.flatnonzero(severity), int(np.count_nonzero(severity == 2)))


def only(columns: Columns, chosen: Integers) -> Columns:
    """Return the rows with these indexes."""
    return {name: pa.array(values).take(chosen) for name, values in columns.items()}


def _texts(codes: NDArray[np.integer], texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(codes))


def _same(text: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text), count)


def _feature_columns(part: FoldedBatch) -> dict[str, Values]:
    return dict(zip(part.features.names, np.ascontiguousarray(part.rows.T), strict=True))
