"""Every topic of the service as one table of data: names, keys, sizes and what must not be lost.

A worker writes decisions, alerts, dead letters and profiles to the partition it read the transaction from, so
these topics have as many partitions as the transactions; the control topic has one. A new topic is one more row.
"""

from collections import Counter
from functools import partial
from typing import Literal

import msgspec

from app.errors import ConfigurationError
from app.settings import Settings, topic_variables

PROFILES_TABLE, ACTIVITIES_TABLE, CONTACTS_TABLE = (
    "customer-profiles",
    "entity-activities",
    "customer-contacts",
)
"""Names of the durable tables of the roles that have one; their changelog topics are named after them."""

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
KAFKA_DEFAULT_MESSAGE_BYTES = 1_048_588
CHANGELOG_SEGMENT_BYTES = 32 * 1024 * 1024
LARGE_MESSAGE_BYTES = 8 * 1024 * 1024
"""Room for the worker's batches of up to 4 MiB, and for a dead letter: any source record and its headers."""


class TopicSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic must be."""

    name: str
    key: str
    purpose: str
    partitions: int
    replication_factor: int
    min_insync_replicas: int
    cleanup_policy: Literal["delete", "compact"] = "delete"
    retention_ms: int | None = None
    """None where compaction, not age, decides what goes."""
    max_message_bytes: int = LARGE_MESSAGE_BYTES
    min_compaction_lag_ms: int | None = None
    segment_ms: int | None = None
    segment_bytes: int | None = None
    """A partition's newest segment is never compacted; None where nothing depends on it."""
    timestamp_type: Literal["CreateTime", "LogAppendTime"] | None = None
    """None where nothing depends on it."""

    def configs(self) -> dict[str, str]:
        """The topic's configuration under Kafka's own names."""
        named = {
            "cleanup.policy": self.cleanup_policy,
            "retention.ms": self.retention_ms,
            "min.insync.replicas": self.min_insync_replicas,
            "max.message.bytes": self.max_message_bytes,
            "min.compaction.lag.ms": self.min_compaction_lag_ms,
            "segment.ms": self.segment_ms,
            "segment.bytes": self.segment_bytes,
            "message.timestamp.type": self.timestamp_type,
            # A replica that is behind must never lead: what it lacks was acknowledged.
            "unclean.leader.election.enable": "false",
        }
        return {name: str(value) for name, value in named.items() if value is not None}


def profiles_changelog(settings: Settings) -> str:
    """Faust's own name for the changelog of the profiles' table."""
    return f"{settings.worker.app_id}-{PROFILES_TABLE}-changelog"


def activities_changelog(settings: Settings) -> str:
    """Faust's own name for the changelog of the entities' table."""
    return f"{settings.entities.app_id}-{ACTIVITIES_TABLE}-changelog"


def contacts_changelog(settings: Settings) -> str:
    """Faust's own name for the changelog of the table of customers' contacts."""
    return f"{settings.crm.app_id}-{CONTACTS_TABLE}-changelog"


def topic_table(settings: Settings) -> tuple[TopicSpec, ...]:
    """Every topic with the sizes of ``settings``. Raises ConfigurationError when two have one name."""
    names, copies = settings.topics, settings.topics.replication_factor
    # With three copies one broker may go without stopping the writes and without losing what was acknowledged.
    topic = partial(
        TopicSpec,
        partitions=names.partitions,
        replication_factor=copies,
        min_insync_replicas=2 if copies >= 3 else 1,
    )
    changelog = partial(
        topic,
        cleanup_policy="compact",
        # A paused worker that wakes up may append an old value after a newer one. Both are kept for an hour, so
        # that a restore can still choose the newer; the hour is counted by the broker's clock. A restore from
        # nothing reads every version that is not compacted yet: docs/adr/0010.
        min_compaction_lag_ms=HOUR_MS,
        segment_ms=HOUR_MS,
        segment_bytes=CHANGELOG_SEGMENT_BYTES,
        timestamp_type="LogAppendTime",
    )
    rows = (
        topic(
            name=names.transactions,
            key="customer_id",
            purpose="What is to be scored.",
            # A profile holds 30 days: that much is needed to rebuild one, a day of lateness and four to act.
            retention_ms=35 * DAY_MS,
            max_message_bytes=KAFKA_DEFAULT_MESSAGE_BYTES,
            # The sender's clock: latency is measured from it, and an event's time is judged by it.
            timestamp_type="CreateTime",
        ),
        topic(
            name=names.decisions,
            key="customer_id",
            purpose="Every decision: the audit log.",
            # Most disputes of a year ago are still answered from it, with a month to spare.
            retention_ms=400 * DAY_MS,
        ),
        topic(
            name=names.alerts,
            key="customer_id",
            purpose="Decisions to review or decline, for case management.",
            # Cases live in their own system; this is how long that may take to read them again.
            retention_ms=90 * DAY_MS,
        ),
        topic(
            name=names.dead_letters,
            key="the source record's",
            purpose="Records that will never be scored, byte for byte.",
            retention_ms=90 * DAY_MS,
            # They keep the source record's timestamp.
            timestamp_type="CreateTime",
        ),
        topic(
            name=names.labels,
            key="terminal_id",
            purpose="What became known of transactions later.",
            # As long as decisions: models are trained and compared on both.
            retention_ms=400 * DAY_MS,
        ),
        topic(
            name=names.entity_activity,
            key="KIND:ID of an entity",
            purpose="What terminals, customers and other entities did, and what became known of it.",
            # An activity holds 44 days: that much is needed to rebuild one, and four to act.
            retention_ms=48 * DAY_MS,
        ),
        topic(
            name=names.notifications,
            key="customer_id",
            purpose="Questions to customers about an alert: was this you?",
            # As long as alerts.
            retention_ms=90 * DAY_MS,
        ),
        topic(
            name=names.answers,
            key="customer_id",
            purpose="What customers answered; each becomes a label.",
            retention_ms=90 * DAY_MS,
        ),
        changelog(
            name=profiles_changelog(settings),
            key="customer_id",
            purpose="The newest profile of every customer; a worker's store is restored from it.",
        ),
        changelog(
            name=activities_changelog(settings),
            key="KIND:ID of an entity",
            purpose="The newest activity of every entity; an entities worker's store is restored from it.",
        ),
        changelog(
            name=contacts_changelog(settings),
            key="customer_id",
            purpose="When every customer was asked and answered; a crm worker's store is restored from it.",
        ),
        topic(
            name=names.control,
            key="champion, challengers, canary, or worker/ID",
            purpose="The models ordered to decide and to be tried, and those each worker runs.",
            partitions=1,
            cleanup_policy="compact",
            max_message_bytes=KAFKA_DEFAULT_MESSAGE_BYTES,
        ),
    )
    _refuse_shared_names(rows)
    return rows


def _refuse_shared_names(rows: tuple[TopicSpec, ...]) -> None:
    for name, count in Counter(row.name for row in rows).items():
        if count > 1:
            raise ConfigurationError(
                f"{count} topics are called {name!r}. Give each topic its own name in {', '.join(topic_variables())}; none "
                "may be the name of a changelog. Give each role its own FRAUDSTREAM_WORKER_APP_ID, "
                "FRAUDSTREAM_ENTITIES_APP_ID and FRAUDSTREAM_CRM_APP_ID."
            )
