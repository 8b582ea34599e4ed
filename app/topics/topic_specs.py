"""The topics of the service as one table: name, key, partitions, retention and durability of each.

A worker writes decisions, alerts, dead letters and profiles to the partition from which it read the transaction, so
these topics have the same number of partitions; those of orders, of reports and of lists have one. A new topic is a new row here, and a new
stream in app/settings/topics.py.
"""

from collections import Counter
from functools import partial
from typing import Literal

import msgspec

from app.adapters.catalog_file.deployed import catalog_computation
from app.errors import ConfigurationError
from app.settings import Settings, topic_variables

PROFILES_TABLE, ACTIVITIES_TABLE, CONTACTS_TABLE = (
    "customer-profiles",
    "entity-activities",
    "customer-contacts",
)
"""Names of the tables of the stateful roles; the changelog topics are named after them."""

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
KAFKA_DEFAULT_MESSAGE_BYTES = 1_048_588
CHANGELOG_SEGMENT_BYTES = 32 * 1024 * 1024
LARGE_MESSAGE_BYTES = 8 * 1024 * 1024
"""Larger than the batches of a worker, up to 4 MiB, and than a dead letter: a source record with more headers."""


class TopicSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The required properties of a topic."""

    name: str
    key: str
    purpose: str
    partitions: int
    replication_factor: int
    min_insync_replicas: int
    cleanup_policy: Literal["delete", "compact"] = "delete"
    retention_ms: int | None = None
    """None if records are removed by compaction, not by age."""
    retention_bytes: int | None = None
    max_message_bytes: int = LARGE_MESSAGE_BYTES
    min_compaction_lag_ms: int | None = None
    segment_ms: int | None = None
    segment_bytes: int | None = None
    """Small segments let compaction begin early: it skips the newest segment of a partition. None: any size will do."""
    timestamp_type: Literal["CreateTime", "LogAppendTime"] | None = None
    """None: either type will do."""
    timestamp_ahead_max_ms: int | None = None
    """How far a record's timestamp may lie ahead of the broker's clock. Event times are checked against the timestamp."""

    def configs(self) -> dict[str, str]:
        """The configuration of the topic, by Kafka's names."""
        named = {
            "cleanup.policy": self.cleanup_policy,
            "retention.ms": self.retention_ms,
            "retention.bytes": self.retention_bytes,
            "min.insync.replicas": self.min_insync_replicas,
            "max.message.bytes": self.max_message_bytes,
            "min.compaction.lag.ms": self.min_compaction_lag_ms,
            "segment.ms": self.segment_ms,
            "segment.bytes": self.segment_bytes,
            "message.timestamp.type": self.timestamp_type,
            "message.timestamp.after.max.ms": self.timestamp_ahead_max_ms,
            # A replica that is behind must not become leader: it lacks records that were acknowledged.
            "unclean.leader.election.enable": "false",
        }
        return {name: str(value) for name, value in named.items() if value is not None}


def profiles_table(settings: Settings) -> str:
    """The table of customer profiles. Those of a catalog have the digest of their layout in the name: no profile of another is read."""
    catalog = settings.catalog.file
    return f"{PROFILES_TABLE}-{catalog_computation(catalog).layout}" if catalog else PROFILES_TABLE


def profiles_changelog(settings: Settings) -> str:
    """The changelog of customer profiles, under the name that Faust gives it."""
    return f"{settings.worker.app_id}-{profiles_table(settings)}-changelog"


def activities_changelog(settings: Settings) -> str:
    """The changelog of entity activities, under the name that Faust gives it."""
    return f"{settings.entities.app_id}-{ACTIVITIES_TABLE}-changelog"


def contacts_changelog(settings: Settings) -> str:
    """The changelog of customer contacts, under the name that Faust gives it."""
    return f"{settings.crm.app_id}-{CONTACTS_TABLE}-changelog"


def topic_table(settings: Settings) -> tuple[TopicSpec, ...]:
    """The specs of all topics under ``settings``. Raises ConfigurationError if two topics have the same name."""
    names, copies = settings.topics, settings.topics.replication_factor
    # With three replicas one broker may fail: writes continue, and no acknowledged record is lost.
    topic = partial(
        TopicSpec,
        partitions=names.partitions,
        replication_factor=copies,
        min_insync_replicas=2 if copies >= 3 else 1,
    )
    changelog = partial(
        topic,
        cleanup_policy="compact",
        # A worker that was paused may append an old state after a newer one of the next owner. Compaction would keep
        # only the old one, so both stay for an hour, by the broker's clock, and a restore chooses the newer. The price:
        # a full restore reads all versions that are not compacted yet (docs/adr/0010).
        min_compaction_lag_ms=HOUR_MS,
        segment_ms=HOUR_MS,
        segment_bytes=CHANGELOG_SEGMENT_BYTES,
        timestamp_type="LogAppendTime",
    )
    rows = (
        topic(
            name=names.transactions,
            key="customer_id",
            purpose="Transactions to be scored.",
            # To rebuild a profile: its 30 days, one day of lateness, four days to react.
            retention_ms=35 * DAY_MS,
            max_message_bytes=KAFKA_DEFAULT_MESSAGE_BYTES,
            # The producer's clock: latency is measured from it, and event times are checked against it.
            timestamp_type="CreateTime",
            timestamp_ahead_max_ms=HOUR_MS,
        ),
        topic(
            name=names.decisions,
            key="customer_id",
            purpose="Every decision: the audit log.",
            # Disputes reach back a year; one month is spare.
            retention_ms=400 * DAY_MS,
        ),
        topic(
            name=names.alerts,
            key="customer_id",
            purpose="Decisions to review or decline, for case management.",
            # Cases are stored in the case system; this is the time it has to read alerts again.
            retention_ms=90 * DAY_MS,
            timestamp_ahead_max_ms=HOUR_MS,
        ),
        topic(
            name=names.dead_letters,
            key="the key of the source record",
            purpose="Records that cannot be processed, byte for byte.",
            retention_ms=90 * DAY_MS,
            # Dead letters keep the timestamp of the source record.
            timestamp_type="CreateTime",
        ),
        topic(
            name=names.labels,
            key="terminal_id",
            purpose="Labels: fraud or not, reported later.",
            timestamp_ahead_max_ms=HOUR_MS,
            # As long as decisions: models are trained and compared on both.
            retention_ms=400 * DAY_MS,
        ),
        topic(
            name=names.entity_activity,
            key="KIND:ID of the entity",
            purpose="Facts about terminals, customers and other entities, from transactions and labels.",
            # To rebuild an activity: its 44 days, and four days to react.
            retention_ms=48 * DAY_MS,
            timestamp_ahead_max_ms=HOUR_MS,
        ),
        topic(
            name=names.notifications,
            key="customer_id",
            purpose="Questions to customers about alerts: was this you?",
            # As long as alerts.
            retention_ms=90 * DAY_MS,
        ),
        topic(
            name=names.answers,
            key="customer_id",
            purpose="Answers of customers; each becomes a label.",
            timestamp_ahead_max_ms=HOUR_MS,
            retention_ms=90 * DAY_MS,
        ),
        topic(
            name=names.cases,
            key="case_id",
            purpose="Changes of cases, for case systems; cases are rebuilt from them.",
            # As long as decisions: disputes reach back a year.
            retention_ms=400 * DAY_MS,
        ),
        changelog(
            name=profiles_changelog(settings),
            key="customer_id",
            purpose="The newest profile of each customer, to restore the store of a risk worker.",
        ),
        changelog(
            name=activities_changelog(settings),
            key="KIND:ID of the entity",
            purpose="The newest activity of each entity, to restore the store of an entities worker.",
        ),
        changelog(
            name=contacts_changelog(settings),
            key="customer_id",
            purpose="The newest contact of each customer, to restore the store of a crm worker.",
        ),
        topic(
            name=names.control,
            key="champion, challengers, canary, or skip/TOPIC/PARTITION/OFFSET",
            purpose="Orders of operators: models to run, records to leave out.",
            partitions=1,
            cleanup_policy="compact",
            max_message_bytes=KAFKA_DEFAULT_MESSAGE_BYTES,
        ),
        topic(
            name=names.worker_reports,
            key="worker/ID or canary-stop/ID",
            purpose="Reports of workers: models they run, canaries they stopped, orders they refused.",
            partitions=1,
            cleanup_policy="compact",
            # Four reports a minute from each worker: a reader gets an hour of them, not a week.
            segment_ms=HOUR_MS,
            segment_bytes=CHANGELOG_SEGMENT_BYTES,
            max_message_bytes=KAFKA_DEFAULT_MESSAGE_BYTES,
        ),
        topic(
            name=names.lists,
            key="list",
            purpose="Entries added to lists of rules and removed from them: who, why and when.",
            partitions=1,
            # A decision names an offset of this log, and a replay reads the lists as of then: nothing is deleted or compacted.
            retention_ms=-1,
            retention_bytes=-1,
            # `fraudstream lists show --at` finds the records up to a time.
            timestamp_type="LogAppendTime",
        ),
    )
    _refuse_shared_names(rows)
    return rows


def _refuse_shared_names(rows: tuple[TopicSpec, ...]) -> None:
    for name, count in Counter(row.name for row in rows).items():
        if count > 1:
            raise ConfigurationError(
                f"{count} topics are called {name}. Give each topic its own name in {', '.join(topic_variables())}; none "
                "may be the name of a changelog. Give each role its own FRAUDSTREAM_WORKER_APP_ID, "
                "FRAUDSTREAM_ENTITIES_APP_ID and FRAUDSTREAM_CRM_APP_ID."
            )
