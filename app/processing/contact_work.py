"""Computes the chunks of a crm worker: alerts may lead to questions to the customer, answers become labels."""

from collections.abc import Callable, Iterator
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.partitioner import partitions_of
from app.adapters.kafka.records import Headers, OutRecord, Record
from app.adapters.serde.contact_codec import ALERTS, ANSWERS, AppliedOffset, StoredContact, decode, encode
from app.adapters.serde.json_codec import decode_as, encode_event
from app.domain.acceptance import Acceptance
from app.domain.contact import Contact, Quiet, alerted, answered
from app.domain.decision import Outcome
from app.domain.identifiers import digest64, notification_id
from app.domain.label import Label, LabelSource
from app.domain.notification import Answer, Notification
from app.domain.transaction import AmountMinor, Country, Currency, EventTime, Identifier
from app.errors import InvalidEvent, InvalidReason
from app.processing.chunk import Chunk
from app.processing.decode_chunk import Rejected
from app.processing.output_records import dead_letter
from app.processing.outputs import Output
from app.processing.state_cache import StateCache
from app.settings import Stream

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


Stored = Annotated[int, Meta(ge=-(2**62), le=2**62)]
"""A time that the state of a contact can hold."""


class AlertForQuestion(msgspec.Struct, gc=False):
    """The fields of an alert that a question uses."""

    transaction_id: Identifier
    customer_id: Identifier
    event_time: EventTime
    scored_at: Stored
    outcome: Outcome
    transaction: _Paid


_alert = BoundedDecoder(AlertForQuestion)
_answer = BoundedDecoder(Answer)


def alert_in_json(record: Record) -> AlertForQuestion:
    """Decode an alert. Raises InvalidEvent."""
    return decode_as(_alert, record.value)


class ContactChunk(NamedTuple):
    """A computed chunk of alerts or of answers."""

    log: int
    """ALERTS or ANSWERS."""
    partition: int
    number: int
    """Of the chunk, in the order its partition's chunks are computed."""
    last_offset: int
    records: int
    already_applied: int
    notifications: list[OutRecord]
    labels: dict[int, list[OutRecord]]
    """By partition of the labels' topic."""
    states: dict[bytes, bytes]
    """Encoded contacts that changed, by customer."""
    rejected: list[Rejected]

    def outputs(self) -> Iterator[Output]:
        """See outputs.ComputedChunk."""
        yield Output(Stream.NOTIFICATIONS, self.partition, self.notifications)
        yield Output(Stream.DEAD_LETTERS, self.partition, [dead_letter(*entry) for entry in self.rejected])
        for partition, records in self.labels.items():
            yield Output(Stream.LABELS, partition, records)


class ContactRules(NamedTuple):
    """The rules and topics that records are checked against."""

    quiet: Quiet
    acceptance: Acceptance
    topic_ids: tuple[int, int]
    """Of the alerts' and of the answers' topic."""
    partitions: int
    """Of the labels' topic."""


class ContactFold:
    """Folds alerts and answers into the contacts of a cache."""

    def __init__(
        self,
        rules: ContactRules,
        contacts: StateCache,
        alert_of: Callable[[Record], AlertForQuestion] | None = None,
    ) -> None:
        self._rules = rules
        self._alert_of = alert_of or alert_in_json
        self._contacts = contacts
        self._steps = (self._alerted, self._answered)

    def compute(self, log: int, chunk: Chunk) -> ContactChunk:
        """Fold one chunk, and put the changed contacts into the cache. ``log`` is ALERTS or ANSWERS."""
        keys = list(dict.fromkeys(record.key for record in chunk.records if record.key))
        kept = dict(zip(keys, map(decode, self._contacts.take(chunk.partition, keys)), strict=True))
        changed: dict[bytes, StoredContact] = {}
        made: list[OutRecord] = []
        rejected, already_applied = [], 0
        for record in chunk.records:
            key = record.key or b""
            before = kept.get(key, StoredContact())
            applied = AppliedOffset(self._rules.topic_ids[log], record.offset)
            if before.applied[log].has(*applied):
                already_applied += 1
                continue
            try:
                contact, out = self._steps[log](before.contact, record)
            except InvalidEvent as error:
                rejected.append(Rejected(record, error))
                continue
            changed[key] = kept[key] = before.after(log, applied, contact)
            made += [] if out is None else [out]
        states = {key: encode(after) for key, after in changed.items()}
        return ContactChunk(
            log=log,
            partition=chunk.partition,
            number=self._contacts.put(chunk.partition, states),
            last_offset=chunk.records[-1].offset,
            records=len(chunk.records),
            already_applied=already_applied,
            notifications=made if log == ALERTS else [],
            labels=self._by_partition(made) if log == ANSWERS else {},
            states=states,
            rejected=rejected,
        )

    def _alerted(self, contact: Contact, record: Record) -> tuple[Contact, OutRecord | None]:
        alert = self._alert_of(record)
        _require_key(alert.customer_id, record.key)
        digest = _digest(alert.transaction_id)
        after, ask = alerted(contact, digest, alert.scored_at, self._rules.quiet)
        return after, _question(alert) if ask else None

    def _answered(self, contact: Contact, record: Record) -> tuple[Contact, OutRecord | None]:
        answer = decode_as(_answer, record.value)
        _require_key(answer.customer_id, record.key)
        acceptance, label = self._rules.acceptance, _label(answer)
        acceptance.check_label(label, key=None, reference_ms=record.timestamp)
        after = answered(contact, _digest(answer.transaction_id), answer.answered_at)
        return after, OutRecord(label.terminal_id.encode(), encode_event(label))

    def _by_partition(self, labels: list[OutRecord]) -> dict[int, list[OutRecord]]:
        """Group labels by the partition of their terminal."""
        found: dict[int, list[OutRecord]] = {}
        if labels:
            partitions = partitions_of([label.key or b"" for label in labels], self._rules.partitions)
            for label, partition in zip(labels, partitions.tolist(), strict=True):
                found.setdefault(partition, []).append(label)
        return found


def _question(alert: AlertForQuestion) -> OutRecord:
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


def _label(answer: Answer) -> Label:
    return Label(
        transaction_id=answer.transaction_id,
        customer_id=answer.customer_id,
        terminal_id=answer.terminal_id,
        event_time=answer.event_time,
        is_fraud=answer.is_fraud,
        source=LabelSource.CUSTOMER,
        reported_at=answer.answered_at,
    )


def _require_key(customer_id: str, key: bytes | None) -> None:
    if key != customer_id.encode():
        raise InvalidEvent(InvalidReason.KEY_MISMATCH, "the record key is not the customer_id")


def _digest(transaction_id: str) -> int:
    return int.from_bytes(digest64(transaction_id), "little", signed=True)
