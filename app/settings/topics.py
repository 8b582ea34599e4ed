"""The topics of the service: the logical streams, the event that each carries, and the settings that name them."""

from enum import StrEnum

import msgspec

from app.cases.contract import CaseChange
from app.domain.decision import Alert, Decision
from app.domain.label import Label
from app.domain.notification import Answer, Notification
from app.domain.transaction import Transaction
from app.settings.kinds import Group, Positive, variable


class Stream(StrEnum):
    """A logical stream of records. ``TopicSettings`` has a field of the same name, which names the stream's topic."""

    TRANSACTIONS = "transactions"
    DECISIONS = "decisions"
    ALERTS = "alerts"
    DEAD_LETTERS = "dead_letters"
    LABELS = "labels"
    ENTITY_ACTIVITY = "entity_activity"
    NOTIFICATIONS = "notifications"
    ANSWERS = "answers"
    CASES = "cases"
    CONTROL = "control"
    WORKER_REPORTS = "worker_reports"
    LISTS = "lists"


STREAM_EVENTS: dict[Stream, type[msgspec.Struct]] = {
    Stream.TRANSACTIONS: Transaction,
    Stream.DECISIONS: Decision,
    Stream.ALERTS: Alert,
    Stream.LABELS: Label,
    Stream.NOTIFICATIONS: Notification,
    Stream.ANSWERS: Answer,
    Stream.CASES: CaseChange,
}
"""The event in each record of a stream, where its schema is published under docs/schemas. The other streams carry
source records byte for byte, a binary format or control records.
"""


class TopicSettings(Group, frozen=True, kw_only=True):
    """Names, partitions and replicas of the topics. Their other properties are listed in app/topics/topic_specs.py."""

    transactions: str = "payments.transactions.v1"
    """Transactions to score, written by payment systems."""
    decisions: str = "fraud.decisions.v1"
    """One decision per transaction."""
    alerts: str = "fraud.alerts.v1"
    """Decisions to review or decline, with reasons."""
    dead_letters: str = "fraud.dead-letters.v1"
    """Records that cannot be processed, byte for byte, each with its reason."""
    labels: str = "fraud.labels.v1"
    """Fraud labels: chargebacks, and outcomes of analysts and customers."""
    entity_activity: str = "fraud.entity-activity.v1"
    """Transactions and labels by the entities that they name: terminals, customers and others in one topic."""
    notifications: str = "crm.notifications.v1"
    """Questions to customers about alerts, one per episode."""
    answers: str = "crm.answers.v1"
    """Answers of customers; each becomes a label."""
    cases: str = "fraud.cases.v1"
    """Changes of cases, each self-contained, for case systems."""
    control: str = "fraud.control.v1"
    """Orders of operators: which models run, and which unreadable records are left out. One partition, compacted."""
    worker_reports: str = "fraud.worker-reports.v1"
    """Reports of workers about the models that they run. One partition, compacted."""
    lists: str = "fraud.lists.v1"
    """Changes of the lists of rules. One partition, nothing is deleted or compacted: the past is read."""
    partitions: Positive = 8
    """Partitions of every topic except the topics of orders, of workers' reports and of lists; the most workers of a role that can share the load. Do not
    change it once data flows: another number assigns customers to other partitions than their profiles."""
    replication_factor: Positive = 1
    """Replicas of every topic. 3 in production; 1 only for a single broker."""

    def name_of(self, stream: Stream) -> str:
        """The topic of a stream."""
        name: str = getattr(self, stream)
        return name

    def names(self) -> dict[Stream, str]:
        """The topic of every stream."""
        return {stream: self.name_of(stream) for stream in Stream}

    def with_prefix(self, prefix: str) -> "TopicSettings":
        """The same settings with ``prefix`` and a dot before each topic's name: topics for one test or one run."""
        return msgspec.structs.replace(
            self, **{stream: f"{prefix}.{name}" for stream, name in self.names().items()}
        )


def topic_variables() -> list[str]:
    """The environment variables that name topics."""
    return [variable("topics", stream) for stream in Stream]
