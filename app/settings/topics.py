"""The group TOPICS."""

import msgspec

from app.settings.kinds import Positive


class TopicSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Names and sizes of the topics; the rest of their shape is the table in app/topics/topic_specs.py."""

    transactions: str = "payments.transactions.v1"
    decisions: str = "fraud.decisions.v1"
    alerts: str = "fraud.alerts.v1"
    dead_letters: str = "fraud.dead-letters.v1"
    labels: str = "fraud.labels.v1"
    """What became known of transactions later: chargebacks, analysts' and customers' outcomes."""
    entity_activity: str = "fraud.entity-activity.v1"
    """What terminals, customers and other entities did, and what became known of it; one topic for all kinds."""
    notifications: str = "crm.notifications.v1"
    """Questions to customers: was this you? One an episode of alerts."""
    answers: str = "crm.answers.v1"
    """What customers answered; each becomes a label."""
    control: str = "fraud.control.v1"
    """Which model decides, by order, and which one each worker runs. One partition, compacted."""
    partitions: Positive = 8
    """Of every topic but the control topic; the upper bound on workers of a role. Frozen once data flows: another
    count sends a customer to another partition than their profile."""
    replication_factor: Positive = 1
    """3 in production; 1 only where there is one broker."""
