"""The group TOPICS."""

import msgspec

from app.settings.kinds import Positive


class TopicSettings(msgspec.Struct, frozen=True, kw_only=True):
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
    control: str = "fraud.control.v1"
    """Orders that name the models, and reports of the models that each worker runs. One partition, compacted."""
    partitions: Positive = 8
    """Partitions of every topic except the control topic; the most workers of a role that can share the load. Do not
    change it once data flows: another number assigns customers to other partitions than their profiles."""
    replication_factor: Positive = 1
    """Replicas of every topic. 3 in production; 1 only for a single broker."""
