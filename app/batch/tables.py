"""The columns of the batch commands' files, from folded rows."""

from collections.abc import Mapping

import numpy as np

from app.adapters.history import FoldedBatch
from app.adapters.table_writer import ColumnType, Values
from app.features import catalog
from app.scoring import policy, scorer
from app.scoring.model import Model, Rows

Columns = Mapping[str, Values]

FEATURE_COLUMNS: dict[str, ColumnType] = dict.fromkeys(catalog.NAMES, "real")
FEATURES_SCHEMA: dict[str, ColumnType] = {"transaction_id": "text", **FEATURE_COLUMNS}
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


def features_table(batch: FoldedBatch) -> Columns:
    """One row per transaction: its id and every feature, in the catalog's order."""
    ids = [event.transaction.transaction_id for event in batch.scored]
    return {"transaction_id": ids, **_feature_columns(batch.rows())}


def scores_table(batch: FoldedBatch, model: Model, *, with_features: bool) -> Columns:
    """One row per transaction, as its decision would say; ``degraded`` holds flags separated by spaces."""
    rows, reference = batch.rows(), model.reference
    scores = model.score(rows)
    transactions = [event.transaction for event in batch.scored]
    columns: dict[str, Values] = {
        "transaction_id": [transaction.transaction_id for transaction in transactions],
        "customer_id": [transaction.customer_id for transaction in transactions],
        "event_time": [transaction.event_time for transaction in transactions],
        "amount_minor": [transaction.amount_minor for transaction in transactions],
        "score": scores,
        "outcome": [policy.outcome(score, model.thresholds).value for score in scores.tolist()],
        "model_name": [reference.name] * len(rows),
        "model_version": [reference.version] * len(rows),
        "model_digest": [reference.digest] * len(rows),
        "degraded": [
            " ".join(scorer.degradations(event.seen, event.transaction.event_time)) for event in batch.scored
        ],
    }
    return columns | _feature_columns(rows) if with_features else columns


def only(columns: Columns, chosen: list[int]) -> Columns:
    """The rows at these places."""
    return {
        name: values[chosen] if isinstance(values, np.ndarray) else [values[i] for i in chosen]
        for name, values in columns.items()
    }


def _feature_columns(rows: Rows) -> dict[str, Values]:
    return dict(zip(catalog.NAMES, np.ascontiguousarray(rows.T), strict=True))
