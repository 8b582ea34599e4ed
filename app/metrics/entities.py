"""Entity state: labels and facts folded, published to Redis, read for scoring."""

from app.metrics.metric import Metric

METRICS = (
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
            "dead_letter: not in the format of this topic, or with an impossible time or source."
        ),
    ),
    Metric(
        name="entity_states_total",
        kind="counter",
        unit="states",
        labels={"result": ("cached", "read", "absent", "invalid")},
        meaning=(
            "Entity states that chunks needed. absent: their features are missing, and the decisions are flagged. invalid: so "
            "are those of a cached or read value that is no state."
        ),
    ),
    Metric(
        name="entity_read_seconds",
        kind="histogram",
        unit="seconds",
        meaning="Time for which a chunk waited for Redis.",
        buckets=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
    ),
    Metric(
        name="entities_absent_total",
        kind="counter",
        unit="decisions",
        meaning="Decisions without the features of terminals and other entities, and flagged: Redis did not answer in time.",
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
)
