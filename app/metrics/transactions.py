"""What happens to the records of the transactions topic."""

from app.domain.acceptance import ID_FIELDS
from app.domain.ignored import Ignored
from app.domain.outcomes.outcome import Outcome
from app.errors import InvalidReason
from app.metrics.metric import FROM_DEPLOYMENT, Metric

METRICS = (
    Metric(
        name="transactions_total",
        kind="counter",
        unit="records",
        labels={"result": ("decided", "duplicate", "replayed", "dead_letter", "ignored")},
        meaning=(
            "Records read from the transactions topic. duplicate: the producer repeated a transaction id; replayed: read "
            "again after a takeover, and already applied to the profile; ignored: a change of a row that is no transaction."
        ),
    ),
    Metric(
        name="decisions_total",
        kind="counter",
        unit="decisions",
        labels={"outcome": tuple(Outcome)},
        meaning="Decisions that the brokers acknowledged. A sudden rise of decline: a fault of the model or of the data.",
    ),
    Metric(
        name="dead_letters_total",
        kind="counter",
        unit="records",
        labels={"reason": tuple(InvalidReason)},
        meaning="Records that cannot be scored, written to the dead letters topic. Fix the producer.",
    ),
    Metric(
        name="numeric_id_hits_total",
        kind="counter",
        unit="values",
        labels={"field": (*ID_FIELDS, "card_token")},
        meaning=(
            "Accepted ids of transactions and labels that look like card numbers: by chance 2 to 4 % of numeric ids "
            "(FRAUDSTREAM_ACCEPTANCE_NUMERIC_IDS). "
            "If far more of them do, the worker ends."
        ),
    ),
    Metric(
        name="unreadable_partitions",
        kind="gauge",
        unit="partitions",
        meaning=(
            "Partitions that are stopped at stored records that cannot be read; /readyz and the log name topic, partition and "
            "offset. The other partitions are not affected."
        ),
    ),
    Metric(
        name="skipped_records_total",
        kind="counter",
        unit="records",
        meaning="Offsets of unreadable records that were left out, as ordered by `fraudstream dlq skip`.",
    ),
    Metric(
        name="late_total",
        kind="counter",
        unit="transactions",
        meaning="Transactions older than the allowed lateness; scored with incomplete windows, and flagged.",
    ),
    Metric(
        name="changes_ignored_total",
        kind="counter",
        unit="records",
        labels={"change": tuple(Ignored)},
        meaning="Changes of a captured table that are no transactions, by kind; docs/data/cdc.md.",
    ),
    Metric(
        name="source_lag_records",
        kind="gauge",
        unit="records",
        labels={"partition": FROM_DEPLOYMENT},
        meaning=(
            "Records of the transactions topic that are not finished, per partition that this worker owns; an upper bound where "
            "Kafka transactions left markers among them, 0 when only these follow."
        ),
    ),
    Metric(
        name="chunk_events",
        kind="histogram",
        unit="records",
        meaning="Records per chunk. Permanently at the maximum: the worker is behind.",
        buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
    ),
    Metric(
        name="chunk_seconds",
        kind="histogram",
        unit="seconds",
        labels={
            "stage": (
                *("decode", "load", "fold", "ask", "score", "shadow"),
                *("policy", "encode", "send", "changelog", "store"),
            )
        },
        meaning=(
            "Time of one stage for one chunk; for chunks that are computed together, the time is divided among them. send and "
            "changelog include the acknowledgement of the brokers, ask is the wait for Redis, if it is read."
        ),
        buckets=(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
    ),
    Metric(
        name="decision_latency_seconds",
        kind="histogram",
        unit="seconds",
        meaning="From the timestamp of the transaction's record to the acknowledgement of its decision.",
        buckets=(
            *(0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05),
            *(0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10),
        ),
    ),
    Metric(
        name="scores",
        kind="histogram",
        unit="probability",
        meaning="The champion's score of each decision. If the shape changes, the model or the data have changed.",
        buckets=(
            *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3),
            *(0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1),
        ),
    ),
    Metric(
        name="records_lost_total",
        kind="counter",
        unit="records",
        meaning=(
            "Records that retention deleted before the group read them. Only with FRAUDSTREAM_WORKER_WHEN_RECORDS_LOST=continue: by "
            "default the worker ends."
        ),
    ),
    Metric(
        name="fail_stops_total",
        kind="counter",
        unit="stops",
        meaning=(
            "Times this process ended on an error, without a commit. It ends at once, so a scrape may miss it: "
            "the supervisor's count of restarts is reliable."
        ),
    ),
)
