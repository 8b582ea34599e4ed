"""Decodes the chunks of a cases worker: alerts, labels and answers. What they change is decided in the database's transaction."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.records import OutRecord, Record
from app.adapters.serde.json_codec import decode_as
from app.cases.contract import CaseAlert, CaseAnswer, CaseLabel
from app.domain.acceptance import Acceptance
from app.domain.decision import Score
from app.domain.identifiers import alert_id
from app.domain.label import Label
from app.domain.outcomes.outcome import Outcome
from app.domain.transaction import AmountMinor, Currency, EventTime, Identifier, Token
from app.errors import InvalidEvent, InvalidReason
from app.processing.chunk import Chunk
from app.processing.contact_events import answer_in_json, label_of_answer
from app.processing.decode_chunk import Rejected
from app.processing.output_records import dead_letter
from app.processing.outputs import Output
from app.settings import Stream


class _Paid(msgspec.Struct, gc=False):
    terminal_id: Identifier
    amount_minor: AmountMinor
    currency: Currency
    device_id: Token | None = None
    card_token: Token | None = None


class _Alert(msgspec.Struct, gc=False):
    """The fields of an alert that a case uses."""

    alert_id: str
    transaction_id: Identifier
    customer_id: Identifier
    event_time: EventTime
    scored_at: EventTime
    score: Score
    outcome: Outcome
    transaction: _Paid


class CaseRecord(NamedTuple):
    """A decoded record at its offset."""

    offset: int
    event: CaseAlert | CaseLabel | CaseAnswer
    body: bytes | None = None
    """Of an alert: its record as JSON."""


class CaseChunk(NamedTuple):
    """A decoded chunk of one topic."""

    stream: Stream
    partition: int
    last_offset: int
    records: int
    accepted: list[CaseRecord]
    rejected: list[Rejected]
    states: Mapping[bytes, bytes] = MappingProxyType({})
    """None: there is no changelog."""

    def outputs(self) -> Iterator[Output]:
        """See outputs.ComputedChunk."""
        if self.rejected:
            letters = [dead_letter(*entry) for entry in self.rejected]
            yield Output(Stream.DEAD_LETTERS, self.partition, letters)


EventT = TypeVar("EventT", CaseAlert, CaseLabel, CaseAnswer)
Decode = Callable[[Record], object]
"""The record itself where its value is JSON, the decoded event otherwise. Raises InvalidEvent."""
_alert = BoundedDecoder(_Alert)


class CaseDecoder:
    """Decodes and checks the records of the three topics."""

    def __init__(self, acceptance: Acceptance, alert_of: Decode, label_of: Callable[[Record], Label]) -> None:
        self._acceptance = acceptance
        self._of_alerts = acceptance.of_derived()
        self._alert_of = alert_of
        self._label_of = label_of
        self._steps: dict[Stream, Callable[[Record], CaseRecord]] = {
            Stream.ALERTS: self._alert,
            Stream.LABELS: self._label,
            Stream.ANSWERS: self._answer,
        }

    def compute(self, stream: Stream, chunk: Chunk) -> CaseChunk:
        """Decode one chunk."""
        accepted, rejected, step = [], [], self._steps[stream]
        for record in chunk.records:
            try:
                accepted.append(step(record))
            except InvalidEvent as error:
                rejected.append(Rejected.of(record, error))
        last = chunk.records[-1].offset
        return CaseChunk(stream, chunk.partition, last, len(chunk.records), accepted, rejected)

    def _alert(self, record: Record) -> CaseRecord:
        decoded = self._alert_of(record)
        body = record.value if decoded is record else msgspec.json.encode(decoded)
        alert = decode_as(_alert, body)
        if alert.alert_id != alert_id(alert.transaction_id):
            raise InvalidEvent(InvalidReason.OUT_OF_RANGE, "`alert_id` is not that of the transaction")
        _require_key(alert.customer_id, record.key)
        for name in ("event_time", "scored_at"):
            self._of_alerts.check_time(name, getattr(alert, name), record.timestamp)
        paid = alert.transaction
        event = CaseAlert(
            alert_id=alert.alert_id,
            transaction_id=alert.transaction_id,
            customer_id=alert.customer_id,
            terminal_id=paid.terminal_id,
            event_time=alert.event_time,
            scored_at=alert.scored_at,
            score=alert.score,
            outcome=alert.outcome,
            amount_minor=paid.amount_minor,
            currency=paid.currency,
            device_id=paid.device_id,
            card_token=paid.card_token,
        )
        return CaseRecord(record.offset, _storable(event), body)

    def _label(self, record: Record) -> CaseRecord:
        label = self._label_of(record)
        self._acceptance.check_label(label, key=record.key or b"", reference_ms=record.timestamp)
        event = CaseLabel(
            transaction_id=label.transaction_id,
            is_fraud=label.is_fraud,
            source=label.source,
            reported_at=label.reported_at,
        )
        return CaseRecord(record.offset, _storable(event))

    def _answer(self, record: Record) -> CaseRecord:
        """Whether the customer has this question open is the crm worker's to decide; here an answer is shown, no label is made."""
        answer = answer_in_json(record)
        _require_key(answer.customer_id, record.key)
        self._acceptance.check_label(label_of_answer(answer), key=None, reference_ms=record.timestamp)
        event = CaseAnswer(
            transaction_id=answer.transaction_id, is_fraud=answer.is_fraud, answered_at=answer.answered_at
        )
        return CaseRecord(record.offset, _storable(event))


def change_record(case_id: str, version: int, body: bytes) -> OutRecord:
    """A change of a case as CloudEvents 1.0 in Kafka's binary mode."""
    headers = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_source", b"/fraudstream/cases"),
        ("ce_type", b"fraud.case-change.v1"),
        ("ce_id", f"{case_id}:{version}".encode()),
    ]
    return OutRecord(case_id.encode(), body, None, headers)


def _storable(event: EventT) -> EventT:
    """Raise InvalidEvent for text that no database stores: a NUL character, half of a character of UTF-16."""
    for name, text in zip(event.__struct_fields__, msgspec.structs.astuple(event), strict=True):
        if isinstance(text, str) and ("\0" in text or not _is_unicode(text)):
            raise InvalidEvent(
                InvalidReason.OUT_OF_RANGE, f"`{name}` holds a character that no database stores"
            )
    return event


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require_key(customer_id: str, key: bytes | None) -> None:
    if key != customer_id.encode():
        raise InvalidEvent(InvalidReason.KEY_MISMATCH, "the record key is not the customer_id")
