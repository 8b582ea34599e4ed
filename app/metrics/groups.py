"""The roles beside scoring: analytics and crm, and the copy of the bank's tables."""

from app.metrics.metric import Metric

METRICS = (
    Metric(
        name="rows_total",
        kind="counter",
        unit="records",
        labels={"table": ("decisions", "labels"), "result": ("stored", "unknown_source", "unreadable")},
        meaning=(
            "Records read by a worker of the role analytics. unknown_source: stored, but its source offset is none of the topic of "
            "transactions: mirrored from another cluster, or forged. unreadable: cannot be decoded, in no file."
        ),
    ),
    Metric(
        name="day_files_total",
        kind="counter",
        unit="files",
        labels={"table": ("decisions", "labels")},
        meaning="Parquet files written by a worker of the role analytics. Many small files: rows of many days arrive together.",
    ),
    Metric(
        name="crm_alerts_total",
        kind="counter",
        unit="records",
        labels={"result": ("asked", "suppressed", "replayed", "dead_letter")},
        meaning=(
            "Alerts read by a worker of the role crm. suppressed: its episode already has a question, or a question is open "
            "or was just answered. replayed: already applied."
        ),
    ),
    Metric(
        name="crm_answers_total",
        kind="counter",
        unit="records",
        labels={"result": ("accepted", "replayed", "dead_letter")},
        meaning="Answers of customers; an accepted answer becomes a label. replayed: already applied.",
    ),
    Metric(
        name="reference_changes_total",
        kind="counter",
        unit="changes",
        labels={"result": ("written", "older", "refused")},
        meaning=(
            "Changes of the bank's tables read by `fraudstream cdc reference`. older: Redis has the row of a later change. refused: "
            "the record is no change event of its table; Redis keeps the row from before."
        ),
    ),
)
