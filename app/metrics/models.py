"""The champion and the models beside it."""

from app.metrics.metric import FROM_DEPLOYMENT, Metric

METRICS = (
    Metric(
        name="model_info",
        kind="info",
        unit="",
        labels={"name": FROM_DEPLOYMENT, "version": FROM_DEPLOYMENT, "digest": FROM_DEPLOYMENT},
        meaning="The current champion; always 1.",
    ),
    Metric(
        name="model_changes_total",
        kind="counter",
        unit="changes",
        labels={"result": ("swapped", "refused")},
        meaning=(
            "Orders for another champion while this worker ran. refused: the model could not be loaded, and the previous "
            "champion still decides; `fraudstream model status` shows the reason."
        ),
    ),
    Metric(
        name="control_records_refused_total",
        kind="counter",
        unit="records",
        meaning=(
            "Orders and reports of the control topics that do not keep the contract, or are not signed as "
            "FRAUDSTREAM_CONTROL_PUBLIC_KEY_FILE requires; they have no effect. The log names the first by offset. A worker counts "
            "them again when it reads the topics from their beginning."
        ),
    ),
    Metric(
        name="model_control_failures_total",
        kind="counter",
        unit="failures",
        meaning="Unexpected errors while orders were followed; the worker tries again after five seconds, and scores meanwhile.",
    ),
    Metric(
        name="drift_psi",
        kind="gauge",
        unit="1",
        labels={"feature": FROM_DEPLOYMENT},
        meaning=(
            "Population stability index of a feature, or of the score, of this worker's latest decisions against the "
            "champion's training rows. Investigate from 0.1, act from 0.25; `fraudstream drift` covers all workers."
        ),
    ),
    Metric(
        name="drift_decisions",
        kind="gauge",
        unit="decisions",
        meaning="Number of decisions on which drift_psi is based; below 1,000 it is not published.",
    ),
    Metric(
        name="policy_changes_total",
        kind="counter",
        unit="orders",
        labels={"result": ("swapped", "refused")},
        meaning=(
            "Orders for another policy. refused: the policy cannot be loaded or fails its checks, and the running one stays; "
            "`fraudstream model status` shows the reason."
        ),
    ),
    Metric(
        name="rules_demoted_total",
        kind="counter",
        unit="rules",
        meaning="Times a rule exceeded its hit rate in a partition; it decides nothing there until the next order of a policy.",
    ),
    Metric(
        name="shadow_total",
        kind="counter",
        unit="transactions",
        labels={
            "name": FROM_DEPLOYMENT,
            "version": FROM_DEPLOYMENT,
            "result": ("scored", "failed", "skipped"),
        },
        meaning=(
            "Transactions for a challenger to score in shadow. skipped: it exceeds its time budget, or is suspended; "
            "`fraudstream model status` shows the reason. Decisions do not depend on it."
        ),
    ),
    Metric(
        name="canary_decisions_total",
        kind="counter",
        unit="decisions",
        labels={"result": ("approve", "alert")},
        meaning="Decisions of the canary; decisions_total includes them.",
    ),
    Metric(
        name="canary_stops_total",
        kind="counter",
        unit="stops",
        meaning=(
            "Times a canary left its bounds on this worker, which stops it on all workers. `fraudstream model status` shows "
            "the bound."
        ),
    ),
)
