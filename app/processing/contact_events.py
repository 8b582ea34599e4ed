"""The events of a crm worker: alerts in, questions to customers out, answers in, labels out."""

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.records import Headers, OutRecord, Record
from app.adapters.serde.json_codec import decode_as, encode_event
from app.domain.identifiers import notification_id, question_digest, signed_digest
from app.domain.label import Label, LabelSource
from app.domain.notification import Answer, Notification
from app.domain.outcomes.outcome import Outcome
from app.domain.transaction import AmountMinor, Country, Currency, EventTime, Identifier

_HEADERS: Headers = (
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_source", b"/fraudstream/crm"),
    ("ce_type", b"crm.notification.v1"),
)


class _Paid(msgspec.Struct, gc=False):
    amount_minor: AmountMinor
    currency: Currency
    terminal_id: Identifier
    country: Country | None = None


class AlertForQuestion(msgspec.Struct, gc=False):
    """The fields of an alert that a question uses."""

    transaction_id: Identifier
    customer_id: Identifier
    event_time: EventTime
    scored_at: EventTime
    outcome: Outcome
    transaction: _Paid


_alert = BoundedDecoder(AlertForQuestion)
_answer = BoundedDecoder(Answer)


def alert_in_json(record: Record) -> AlertForQuestion:
    """Decode an alert. Raises InvalidEvent."""
    return decode_as(_alert, record.value)


def answer_in_json(record: Record) -> Answer:
    """Decode an answer. Raises InvalidEvent."""
    return decode_as(_answer, record.value)


def question_record(alert: AlertForQuestion) -> OutRecord:
    """The question about an alert."""
    paid = alert.transaction
    notification = Notification(
        notification_id=notification_id(alert.transaction_id),
        customer_id=alert.customer_id,
        transaction_id=alert.transaction_id,
        terminal_id=paid.terminal_id,
        event_time=alert.event_time,
        amount_minor=paid.amount_minor,
        currency=paid.currency,
        outcome=alert.outcome,
        asked_at=alert.scored_at,
        country=paid.country,
    )
    headers = [*_HEADERS, ("ce_id", notification.notification_id.encode())]
    return OutRecord(alert.customer_id.encode(), encode_event(notification), None, headers)


def label_of_answer(answer: Answer) -> Label:
    """The label that an answer becomes."""
    return Label(
        transaction_id=answer.transaction_id,
        customer_id=answer.customer_id,
        terminal_id=answer.terminal_id,
        event_time=answer.event_time,
        is_fraud=answer.is_fraud,
        source=LabelSource.CUSTOMER,
        reported_at=answer.answered_at,
    )


def digests_of(answer: Answer) -> tuple[int, int]:
    """The digests by which a contact may know the question: of all its fields, and of the transaction id alone, as earlier releases
    stored it. The second equals the first of another question only where two digests of 64 bits collide.
    """
    question = question_digest(answer.transaction_id, answer.terminal_id, answer.event_time)
    return question, signed_digest(answer.transaction_id)
