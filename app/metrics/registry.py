"""The schema registry, as a worker sees it."""

from app.metrics.metric import Metric

METRICS = (
    Metric(
        name="registry_away",
        kind="gauge",
        unit="0 or 1",
        meaning=(
            "1: the schema registry did not answer the last request; there is one at least every 15 s. Values with known schemas "
            "are still decoded; the log shows the reason."
        ),
    ),
    Metric(
        name="registry_schemas",
        kind="gauge",
        unit="schemas",
        meaning="Schemas that this worker has loaded. Their values are decoded even if the registry is unreachable.",
    ),
    Metric(
        name="registry_waiting_records",
        kind="gauge",
        unit="records",
        meaning=(
            "Records of partitions that wait: for the schema registry, because a record has an unknown schema id; for the brokers of the "
            "transactions, because a fact names an offset that is not known to exist. /readyz says which."
        ),
    ),
)
