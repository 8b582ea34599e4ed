"""The closed catalog of metrics: name, kind, unit, labels and meaning. ``docs/metrics.md`` is generated from it.

A name that is not in the catalog is a type error. A label never holds a value of an event: its values are listed here,
or come from the deployment (a partition, a model).
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.domain.decision import Outcome
from app.domain.ignored import Ignored
from app.errors import InvalidReason

PREFIX = "fraudstream_"

CounterName = Literal[
    "transactions_total",
    "decisions_total",
    "dead_letters_total",
    "late_total",
    "entities_absent_total",
    "restored_records_total",
    "stores_set_aside_total",
    "fail_stops_total",
    "model_changes_total",
    "labels_total",
    "entity_facts_total",
    "redis_reads_total",
    "entity_states_total",
    "entities_published_total",
    "shadow_total",
    "canary_decisions_total",
    "canary_stops_total",
    "changes_ignored_total",
    "rows_total",
    "day_files_total",
    "crm_alerts_total",
    "crm_answers_total",
]
GaugeName = Literal[
    "profiles_cached",
    "profile_cache_bytes",
    "stored_profiles",
    "store_bytes",
    "source_lag_records",
    "restore_remaining_records",
    "drift_psi",
    "drift_decisions",
    "redis_breaker_open",
    "entities_unpublished",
    "registry_away",
    "registry_schemas",
    "registry_waiting_records",
]
HistogramName = Literal[
    "chunk_events", "chunk_seconds", "decision_latency_seconds", "scores", "entity_read_seconds"
]
InfoName = Literal["model_info"]

FROM_DEPLOYMENT: tuple[str, ...] = ()
"""The values of a label that come from the deployment, so that the catalog cannot list them."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric."""

    name: CounterName | GaugeName | HistogramName | InfoName
    kind: Literal["counter", "gauge", "histogram", "info"]
    unit: str
    meaning: str
    labels: Mapping[str, tuple[str, ...]] = {}
    """The labels, each with its possible values."""
    buckets: tuple[float, ...] = ()


CATALOG = (
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
        name="late_total",
        kind="counter",
        unit="transactions",
        meaning="Transactions older than the allowed lateness; scored with incomplete windows, and flagged.",
    ),
    Metric(
        name="entities_absent_total",
        kind="counter",
        unit="decisions",
        meaning="Decisions without the features of terminals and other entities, and flagged: Redis did not answer in time.",
    ),
    Metric(
        name="restored_records_total",
        kind="counter",
        unit="records",
        meaning="Changelog records read to restore profiles, after a start or a rebalance.",
    ),
    Metric(
        name="stores_set_aside_total",
        kind="counter",
        unit="databases",
        meaning="Damaged local databases, moved aside and restored from the changelog. Check the disk.",
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
                *("encode", "send", "changelog", "store"),
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
        name="profiles_cached",
        kind="gauge",
        unit="profiles",
        meaning="Profiles cached in memory.",
    ),
    Metric(
        name="profile_cache_bytes",
        kind="gauge",
        unit="bytes",
        meaning="Size of the profiles cached in memory; bounded by FRAUDSTREAM_WORKER_PROFILE_CACHE_BYTES.",
    ),
    Metric(
        name="stored_profiles",
        kind="gauge",
        unit="profiles",
        meaning="RocksDB's estimate of the profiles on the disk of this worker, all partitions together.",
    ),
    Metric(
        name="store_bytes",
        kind="gauge",
        unit="bytes",
        meaning="Size of these profiles: RocksDB's files, and its write buffers.",
    ),
    Metric(
        name="source_lag_records",
        kind="gauge",
        unit="records",
        labels={"partition": FROM_DEPLOYMENT},
        meaning="Records of the transactions topic that are not finished, per partition that this worker owns.",
    ),
    Metric(
        name="restore_remaining_records",
        kind="gauge",
        unit="records",
        meaning=(
            "Changelog offsets still to be read before this worker scores; 0 while it scores. "
            "Compaction leaves gaps, so the value may fall faster than records are read."
        ),
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
        name="labels_total",
        kind="counter",
        unit="records",
        labels={"result": ("accepted", "dead_letter")},
        meaning="Records read from the labels topic; an accepted label is sent to every entity that it names.",
    ),
    Metric(
        name="entity_facts_total",
        kind="counter",
        unit="records",
        labels={"result": ("applied", "repeated", "dead_letter")},
        meaning=(
            "Records read from the entity activity topic. repeated: sent again after a takeover, and already applied. "
            "dead_letter: not in the format of this topic."
        ),
    ),
    Metric(
        name="redis_reads_total",
        kind="counter",
        unit="reads",
        labels={"result": ("answered", "late", "failed")},
        meaning=(
            "Reads of Redis by the scoring worker, at most one per chunk. late: no answer within "
            "FRAUDSTREAM_REDIS_READ_DEADLINE_SECONDS. The log shows the reason if several in a row fail."
        ),
    ),
    Metric(
        name="entity_states_total",
        kind="counter",
        unit="states",
        labels={"result": ("cached", "read", "absent")},
        meaning="Entity states that chunks needed. absent: their features are missing, and the decisions are flagged.",
    ),
    Metric(
        name="entity_read_seconds",
        kind="histogram",
        unit="seconds",
        meaning="Time for which a chunk waited for Redis.",
        buckets=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
    ),
    Metric(
        name="redis_breaker_open",
        kind="gauge",
        unit="0 or 1",
        meaning="1: several reads of Redis in a row failed, and it is only tried once per pause of the circuit breaker.",
    ),
    Metric(
        name="entities_published_total",
        kind="counter",
        unit="states",
        labels={"why": ("changed", "again")},
        meaning="States written to Redis. again: Redis was new, flushed or behind, so all states of a partition were written.",
    ),
    Metric(
        name="entities_unpublished",
        kind="gauge",
        unit="entities",
        meaning="Entities that have changed since they were last written to Redis. Growing: Redis is unreachable or too slow.",
    ),
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
        meaning="Records of partitions that wait for the schema registry, because a record has an unknown schema id.",
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
    Metric(
        name="changes_ignored_total",
        kind="counter",
        unit="records",
        labels={"change": tuple(Ignored)},
        meaning="Changes of a captured table that are no transactions, by kind; docs/data/cdc.md.",
    ),
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
    Metric(
        name="model_info",
        kind="info",
        unit="",
        labels={"name": FROM_DEPLOYMENT, "version": FROM_DEPLOYMENT, "digest": FROM_DEPLOYMENT},
        meaning="The current champion; always 1.",
    ),
)


class Metrics(Protocol):
    """Records the metrics of a process. Cheap enough for a few calls per chunk; never raises if no one reads them."""

    def count(self, name: CounterName, amount: int = 1, /, **labels: str) -> None:
        """Add ``amount`` >= 0."""

    def gauge(self, name: GaugeName, value: float, /, **labels: str) -> None:
        """Set the gauge to ``value``."""

    def remove(self, name: GaugeName, /, **labels: str) -> None:
        """Stop publishing the gauge, which another worker publishes from now on. No effect if it was never set."""

    def observe(self, name: HistogramName, value: float, /, **labels: str) -> None:
        """Record one value."""

    def observe_all(
        self, name: HistogramName, values: Sequence[float] | NDArray[np.float64], /, **labels: str
    ) -> None:
        """Record many values at once; the values of a chunk cost as much as a few single ones."""

    def inform(self, name: InfoName, /, **labels: str) -> None:
        """Replace the labels of the info metric."""


def markdown() -> str:
    """Return the page ``docs/metrics.md``."""
    lines = [
        "# Metrics",
        "",
        "Generated from `app/metrics.py` by `python -m app.metrics > docs/metrics.md`. Every worker serves them on loopback,",
        "at `/metrics` on the first free port from `FRAUDSTREAM_WORKER_METRICS_PORT` (9464); 0 serves none. No label",
        "contains a value of an event.",
        "",
        "| name | kind | unit | labels | meaning |",
        "| --- | --- | --- | --- | --- |",
        *map(_row, CATALOG),
    ]
    return "\n".join(lines) + "\n"


def _row(metric: Metric) -> str:
    labels = "; ".join(
        f"`{label}`: {', '.join(values) or 'from the deployment'}" for label, values in metric.labels.items()
    )
    return f"| `{PREFIX}{metric.name}` | {metric.kind} | {metric.unit} | {labels} | {metric.meaning} |"


if __name__ == "__main__":
    sys.stdout.write(markdown())
