"""The roles beside scoring: analytics and crm."""

from app.metrics.metric import Metric

METRICS = (
    Metric(
        name="rows_total",
        kind="counter",
        unit="records",
        labels={"table": ("decisions", "labels"), "result": ("stored", "unreadable")},
        meaning="Records read by a worker of the role analytics. unreadable: cannot be decoded, in no file.",
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
)
