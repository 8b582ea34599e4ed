"""Makes output records: decisions and alerts with CloudEvents headers, dead letters."""

from collections.abc import Sequence

from app.adapters.kafka.records import Headers, OutRecord, Record, Unreadable
from app.adapters.serde.event_encoder import JSON_ENCODING, Encoding
from app.domain.decision import Alert, Decision
from app.errors import InvalidEvent

MAX_TRACE_BYTES = 512
"""The length that W3C Trace Context requires every system to pass on."""
_TRACE = frozenset({"traceparent", "tracestate"})
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


def trace_headers(headers: Sequence[tuple[str, bytes]]) -> Headers:
    """Return the headers that are copied from the source record: the W3C trace context, where it is one."""
    return [header for header in headers if header[0] in _TRACE and _is_short(header[1])] if headers else ()


def _is_short(value: bytes | None) -> bool:
    """Header values may be null and of any length; longer ones would be copied into every output."""
    return value is not None and len(value) <= MAX_TRACE_BYTES


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
