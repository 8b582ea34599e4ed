"""Makes output records: decisions and alerts with CloudEvents headers, dead letters."""

from app.adapters.kafka.records import Headers, OutRecord, Record, Unreadable
from app.adapters.serde.event_encoder import JSON_ENCODING, Encoding
from app.domain.decision import Alert, Decision
from app.errors import InvalidEvent

SOURCE = b"/fraudstream/risk"
_COMMON: Headers = (
    ("ce_specversion", b"1.0"),
    ("ce_source", SOURCE),
)
_DECISION: Headers = (*_COMMON, ("ce_type", b"fraud.decision.v1"))
_ALERT: Headers = (*_COMMON, ("ce_type", b"fraud.alert.v1"))


def decision_record(
    decision: Decision, key: bytes | None, trace: Headers, encoding: Encoding = JSON_ENCODING
) -> OutRecord:
    """CloudEvents 1.0 in Kafka's binary mode; ``ce_id`` is the same however often it is produced."""
    headers = [*encoding.headers, *_DECISION, ("ce_id", decision.decision_id.encode()), *trace]
    return OutRecord(key, encoding.encode(decision), None, headers)


def alert_record(
    alert: Alert, key: bytes | None, trace: Headers, encoding: Encoding = JSON_ENCODING
) -> OutRecord:
    headers = [*encoding.headers, *_ALERT, ("ce_id", alert.alert_id.encode()), *trace]
    return OutRecord(key, encoding.encode(alert), None, headers)


def dead_letter(record: Record, error: InvalidEvent) -> OutRecord:
    """The source record byte for byte, with headers that say where it came from and why it cannot be scored.

    The names are those of Kafka Streams (KIP-1034), so that its tools read them; the code is ours.
    """
    context = [
        ("__streams.errors.topic", record.topic.encode()),
        ("__streams.errors.partition", str(record.partition).encode()),
        ("__streams.errors.offset", str(record.offset).encode()),
        ("__streams.errors.exception", type(error).__name__.encode()),
        ("__streams.errors.message", error.detail.encode()),
        ("fraud.error.stage", b"decode"),
        ("fraud.error.code", error.reason.encode()),
    ]
    value = bytes(record.value) if isinstance(record.value, Unreadable) else record.value
    return OutRecord(record.key, value, record.timestamp, [*record.headers, *context])
