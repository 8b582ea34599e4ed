"""The closed catalog of metrics: name, kind, unit, labels and meaning, one module per subject.

A name that is not in the catalog is a type error. A label never holds a value of an event: its values are listed in the
catalog, or come from the deployment (a partition, a model). ``docs/metrics.md`` is generated from it.
"""

from app.metrics import cases, entities, groups, lists, models, process, registry, state, transactions
from app.metrics.metric import (
    FROM_DEPLOYMENT,
    PREFIX,
    CounterName,
    GaugeName,
    HistogramName,
    InfoName,
    Metric,
)
from app.metrics.recorder import Metrics

CATALOG = (
    *process.METRICS,
    *transactions.METRICS,
    *state.METRICS,
    *models.METRICS,
    *entities.METRICS,
    *registry.METRICS,
    *groups.METRICS,
    *lists.METRICS,
    *cases.METRICS,
)

__all__ = [
    "CATALOG",
    "FROM_DEPLOYMENT",
    "PREFIX",
    "CounterName",
    "GaugeName",
    "HistogramName",
    "InfoName",
    "Metric",
    "Metrics",
]
