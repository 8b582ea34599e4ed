"""Cases: what a worker of the role cases reads, writes and publishes."""

from app.metrics.metric import Metric

METRICS = (
    Metric(
        name="cases_alerts_total",
        kind="counter",
        unit="records",
        labels={"result": ("opened", "appended", "suppressed", "repeated")},
        meaning=(
            "Alerts read by a worker of the role cases. opened: opened a case. appended: joined the customer's open case. suppressed: "
            "hidden by a suppression. repeated: applied before; records of other topics count too."
        ),
    ),
    Metric(
        name="cases_outcomes_total",
        kind="counter",
        unit="records",
        labels={"kind": ("label", "answer")},
        meaning="Labels and answers of customers that changed the newest one of their transaction.",
    ),
    Metric(
        name="cases_changes_total",
        kind="counter",
        unit="records",
        meaning="Changes of cases published to fraud.cases.v1 by this worker.",
    ),
    Metric(
        name="cases_database_retries_total",
        kind="counter",
        unit="attempts",
        meaning="Transactions that failed and were tried again: the database is away or restarts. One in a while is a deadlock.",
    ),
    Metric(
        name="cases_outbox_waiting",
        kind="gauge",
        unit="changes",
        meaning="Changes of cases in the database that are not published. It falls to 0 within a second while Kafka answers.",
    ),
)
