"""The closed catalog of metrics: every name, kind, unit, label and meaning. ``docs/metrics.md`` is made from it.

A name that is not in the catalog is a type error. A label never holds a value of an event: what it may hold is
listed, or comes from the deployment (a partition, a model).
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
"""A label whose values the catalog cannot list."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric."""

    name: CounterName | GaugeName | HistogramName | InfoName
    kind: Literal["counter", "gauge", "histogram", "info"]
    unit: str
    meaning: str
    labels: Mapping[str, tuple[str, ...]] = {}
    """Each label with the values it may hold."""
    buckets: tuple[float, ...] = ()


CATALOG = (
    Metric(
        name="transactions_total",
        kind="counter",
        unit="records",
        labels={"result": ("decided", "duplicate", "replayed", "dead_letter", "ignored")},
        meaning=(
            "Records read from the transactions topic. duplicate: the producer repeated a transaction id; "
            "replayed: read again after a takeover and already in the profile; ignored: a row's change that is none."
        ),
    ),
    Metric(
        name="decisions_total",
        kind="counter",
        unit="decisions",
        labels={"outcome": tuple(Outcome)},
        meaning="Decisions that the brokers acknowledged. A sudden share of decline is a model or a data fault.",
    ),
    Metric(
        name="dead_letters_total",
        kind="counter",
        unit="records",
        labels={"reason": tuple(InvalidReason)},
        meaning="Records that will never be scored, kept in the dead letters topic. Mend the producer.",
    ),
    Metric(
        name="late_total",
        kind="counter",
        unit="transactions",
        meaning="Transactions older than the allowed lateness; scored on what was still known, and flagged.",
    ),
    Metric(
        name="entities_absent_total",
        kind="counter",
        unit="decisions",
        meaning="Decisions made without the features of terminals and past frauds, and flagged: Redis had not answered.",
    ),
    Metric(
        name="restored_records_total",
        kind="counter",
        unit="records",
        meaning="Changelog records read to restore profiles, after a start or a change of owner.",
    ),
    Metric(
        name="stores_set_aside_total",
        kind="counter",
        unit="databases",
        meaning="Local databases found damaged, moved aside and restored from the changelog. Look at the disk.",
    ),
    Metric(
        name="fail_stops_total",
        kind="counter",
        unit="stops",
        meaning=(
            "Times this process gave up without commit. It ends at once, so a scrape may miss it: "
            "the supervisor's count of restarts is the sure sign."
        ),
    ),
    Metric(
        name="chunk_events",
        kind="histogram",
        unit="records",
        meaning="Records per chunk. Always at the maximum: the worker is behind.",
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
            "Time of one stage for one chunk, its share where chunks were computed together; send and changelog include "
            "the brokers' acknowledgement, ask what Redis took to answer, where it was asked."
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
        meaning="The champion's score of each decision. Another shape than a day ago: the model or the data changed.",
        buckets=(
            *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3),
            *(0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1),
        ),
    ),
    Metric(
        name="profiles_cached",
        kind="gauge",
        unit="profiles",
        meaning="Profiles kept in memory.",
    ),
    Metric(
        name="profile_cache_bytes",
        kind="gauge",
        unit="bytes",
        meaning="Of the profiles kept in memory; bounded by the setting of the same name.",
    ),
    Metric(
        name="stored_profiles",
        kind="gauge",
        unit="profiles",
        meaning="RocksDB's own estimate of the profiles on this worker's disk, all its partitions together.",
    ),
    Metric(
        name="store_bytes",
        kind="gauge",
        unit="bytes",
        meaning="Of those profiles: RocksDB's files, and what is not written to them yet.",
    ),
    Metric(
        name="source_lag_records",
        kind="gauge",
        unit="records",
        labels={"partition": FROM_DEPLOYMENT},
        meaning="Records of the transactions topic not yet finished, per partition that this worker owns.",
    ),
    Metric(
        name="restore_remaining_records",
        kind="gauge",
        unit="records",
        meaning=(
            "Changelog offsets still to be read before this worker decides again; 0 when it does. "
            "Compaction leaves gaps, so it may fall faster than records are read."
        ),
    ),
    Metric(
        name="model_changes_total",
        kind="counter",
        unit="changes",
        labels={"result": ("swapped", "refused")},
        meaning=(
            "Times another champion was asked for while this worker ran. refused: it could not be loaded, the old "
            "one goes on deciding; `fraudstream model status` says why."
        ),
    ),
    Metric(
        name="drift_psi",
        kind="gauge",
        unit="1",
        labels={"feature": FROM_DEPLOYMENT},
        meaning=(
            "Population stability index of a feature, or of the score, of this worker's latest decisions against the "
            "champion's training rows. From 0.1 on look, from 0.25 on act: `fraudstream drift` over all workers."
        ),
    ),
    Metric(
        name="drift_decisions",
        kind="gauge",
        unit="decisions",
        meaning="How many decisions drift_psi rests on; below 1,000 it is not told.",
    ),
    Metric(
        name="labels_total",
        kind="counter",
        unit="records",
        labels={"result": ("accepted", "dead_letter")},
        meaning="Records read from the labels topic; an accepted one is told to every entity it names.",
    ),
    Metric(
        name="entity_facts_total",
        kind="counter",
        unit="records",
        labels={"result": ("applied", "repeated", "dead_letter")},
        meaning=(
            "Records read from the entities' topic. repeated: told again after a takeover, and known already. "
            "dead_letter: not ours."
        ),
    ),
    Metric(
        name="redis_reads_total",
        kind="counter",
        unit="reads",
        labels={"result": ("answered", "late", "failed")},
        meaning=(
            "Questions of the scoring worker to Redis, at most one a chunk. late: no answer within "
            "FRAUDSTREAM_REDIS_READ_DEADLINE_SECONDS. The log says why when several in a row fail."
        ),
    ),
    Metric(
        name="entity_states_total",
        kind="counter",
        unit="states",
        labels={"result": ("cached", "read", "absent")},
        meaning="States of entities that chunks asked for. absent: their features are missing, decisions say so.",
    ),
    Metric(
        name="entity_read_seconds",
        kind="histogram",
        unit="seconds",
        meaning="How long a chunk waited for Redis.",
        buckets=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
    ),
    Metric(
        name="redis_breaker_open",
        kind="gauge",
        unit="0 or 1",
        meaning="1: Redis has failed several times in a row and is asked only now and then.",
    ),
    Metric(
        name="entities_published_total",
        kind="counter",
        unit="states",
        labels={"why": ("changed", "again")},
        meaning="States written to Redis. again: Redis was new, flushed or behind, so all of a partition was written.",
    ),
    Metric(
        name="entities_unpublished",
        kind="gauge",
        unit="entities",
        meaning="Entities that have changed since they were last written to Redis. Growing: Redis is away or too slow.",
    ),
    Metric(
        name="registry_away",
        kind="gauge",
        unit="0 or 1",
        meaning=(
            "1: the schema registry gave no answer when it was last asked, which is every 15 s at least. Known schemas are used on; "
            "the log says why."
        ),
    ),
    Metric(
        name="registry_schemas",
        kind="gauge",
        unit="schemas",
        meaning="Schemas that values have named and this worker knows. Their values are read whether the registry is there or not.",
    ),
    Metric(
        name="registry_waiting_records",
        kind="gauge",
        unit="records",
        meaning="Records fetched of partitions that wait for the schema registry: one brought a new id while it did not answer.",
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
            "Transactions that a challenger was to score in shadow. skipped: it takes longer than its budget, or is "
            "suspended; `fraudstream model status` says why. Decisions are the same either way."
        ),
    ),
    Metric(
        name="canary_decisions_total",
        kind="counter",
        unit="decisions",
        labels={"result": ("approve", "alert")},
        meaning="Decisions of the canary; they are among those of decisions_total.",
    ),
    Metric(
        name="canary_stops_total",
        kind="counter",
        unit="stops",
        meaning=(
            "Times a canary left its bounds on this worker, which ended it on all. `fraudstream model status` says "
            "which bound."
        ),
    ),
    Metric(
        name="changes_ignored_total",
        kind="counter",
        unit="records",
        labels={"change": tuple(Ignored)},
        meaning="Changes of a streamed table's rows that are no transactions, by what happened; docs/data/cdc.md.",
    ),
    Metric(
        name="rows_total",
        kind="counter",
        unit="records",
        labels={"table": ("decisions", "labels"), "result": ("stored", "unreadable")},
        meaning="Records read by a worker of the role analytics. unreadable: garbage, in no file.",
    ),
    Metric(
        name="day_files_total",
        kind="counter",
        unit="files",
        labels={"table": ("decisions", "labels")},
        meaning="Parquet files written by a worker of the role analytics. Many small ones: rows of many days come together.",
    ),
    Metric(
        name="crm_alerts_total",
        kind="counter",
        unit="records",
        labels={"result": ("asked", "suppressed", "replayed", "dead_letter")},
        meaning=(
            "Alerts read by a worker of the role crm. suppressed: of an episode that was asked about, or while a question "
            "is open or just answered."
        ),
    ),
    Metric(
        name="crm_answers_total",
        kind="counter",
        unit="records",
        labels={"result": ("accepted", "replayed", "dead_letter")},
        meaning="Customers' answers; an accepted one became a label.",
    ),
    Metric(
        name="model_info",
        kind="info",
        unit="",
        labels={"name": FROM_DEPLOYMENT, "version": FROM_DEPLOYMENT, "digest": FROM_DEPLOYMENT},
        meaning="The champion that decides now; always 1.",
    ),
)


class Metrics(Protocol):
    """Where the service's figures go. Cheap enough for a few calls per chunk; never raises for want of a reader."""

    def count(self, name: CounterName, amount: int = 1, /, **labels: str) -> None:
        """Add ``amount`` >= 0."""

    def gauge(self, name: GaugeName, value: float, /, **labels: str) -> None:
        """The level is now ``value``."""

    def remove(self, name: GaugeName, /, **labels: str) -> None:
        """The level is another worker's business from now on; nothing happens if it was never ours."""

    def observe(self, name: HistogramName, value: float, /, **labels: str) -> None:
        """One more value."""

    def observe_all(
        self, name: HistogramName, values: Sequence[float] | NDArray[np.float64], /, **labels: str
    ) -> None:
        """Many values at once: a chunk's worth costs what a few single ones do."""

    def inform(self, name: InfoName, /, **labels: str) -> None:
        """Replace what was told before."""


def markdown() -> str:
    """The page ``docs/metrics.md``."""
    lines = [
        "# Metrics",
        "",
        "Made from `app/metrics.py` by `python -m app.metrics > docs/metrics.md`. Every worker serves them on loopback,",
        "at `/metrics` on the first free port from `FRAUDSTREAM_WORKER_METRICS_PORT` (9464) on; 0 serves none. No label",
        "ever holds a value of an event.",
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
