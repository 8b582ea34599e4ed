"""Computes the chunks of a crm worker: alerts may lead to questions to the customer, answers become labels."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.adapters.kafka.partitioner import partitions_of
from app.adapters.kafka.records import OutRecord, Record
from app.adapters.serde.contact_codec import ALERTS, ANSWERS, AppliedOffset, StoredContact, decode, encode
from app.adapters.serde.json_codec import encode_event
from app.domain.acceptance import Acceptance
from app.domain.contact import Contact, Quiet, alerted, answered, is_open
from app.domain.identifiers import notification_id, question_digest
from app.domain.notification import Answer
from app.errors import InvalidEvent, InvalidReason, StateCorrupt
from app.processing.chunk import Chunk
from app.processing.contact_events import (
    AlertForQuestion,
    alert_in_json,
    answer_in_json,
    digests_of,
    label_of_answer,
    question_record,
)
from app.processing.decode_chunk import Rejected, state_corrupt
from app.processing.output_records import dead_letter
from app.processing.outputs import Output
from app.processing.state_cache import StateCache
from app.settings import Stream


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
        self._of_alerts = rules.acceptance.of_derived()
        self._alert_of = alert_of or alert_in_json
        self._contacts = contacts
        self._steps = (self._alerted, self._answered)

    def compute(self, log: int, chunk: Chunk) -> ContactChunk:
        """Fold one chunk, and put the changed contacts into the cache. ``log`` is ALERTS or ANSWERS."""
        kept, corrupt = self._load(chunk)
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
                if key in corrupt:
                    raise state_corrupt()
                contact, out = self._steps[log](before.contact, record)
            except InvalidEvent as error:
                rejected.append(Rejected.of(record, error))
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

    def _load(self, chunk: Chunk) -> tuple[dict[bytes, StoredContact], set[bytes]]:
        """The stored contacts of the chunk's customers, and the customers whose contact cannot be decoded."""
        keys = list(dict.fromkeys(record.key for record in chunk.records if record.key))
        kept, corrupt = {}, set()
        for key, data in zip(keys, self._contacts.take(chunk.partition, keys), strict=True):
            try:
                kept[key] = decode(data)
            except StateCorrupt:
                corrupt.add(key)
        return kept, corrupt

    def _alerted(self, contact: Contact, record: Record) -> tuple[Contact, OutRecord | None]:
        alert = self._alert_of(record)
        _require_key(alert.customer_id, record.key)
        for name in ("event_time", "scored_at"):
            self._of_alerts.check_time(name, getattr(alert, name), record.timestamp)
        digest = question_digest(alert.transaction_id, alert.transaction.terminal_id, alert.event_time)
        after, ask = alerted(contact, digest, alert.scored_at, self._rules.quiet)
        return after, question_record(alert) if ask else None

    def _answered(self, contact: Contact, record: Record) -> tuple[Contact, OutRecord | None]:
        answer = answer_in_json(record)
        _require_key(answer.customer_id, record.key)
        acceptance, label = self._rules.acceptance, label_of_answer(answer)
        acceptance.check_label(label, key=None, reference_ms=record.timestamp)
        after = answered(contact, self._open_question(contact, answer), answer.answered_at)
        return after, OutRecord(label.terminal_id.encode(), encode_event(label))

    def _open_question(self, contact: Contact, answer: Answer) -> int:
        """The digest of the customer's open question, which the answer names with all its fields. Raises InvalidEvent.

        Anyone with the right to write to the topic can answer: without this, a label on any transaction could be forged.
        """
        rules = self._rules
        if answer.notification_id == notification_id(answer.transaction_id):
            for question in digests_of(answer):
                tolerance_ms = rules.acceptance.max_future_ms
                if is_open(contact, question, answer.answered_at, rules.quiet, tolerance_ms):
                    return question
        raise InvalidEvent(
            InvalidReason.NO_OPEN_QUESTION, "the customer has no open question with these fields"
        )

    def _by_partition(self, labels: list[OutRecord]) -> dict[int, list[OutRecord]]:
        """Group labels by the partition of their terminal."""
        found: dict[int, list[OutRecord]] = {}
        if labels:
            partitions = partitions_of([label.key or b"" for label in labels], self._rules.partitions)
            for label, partition in zip(labels, partitions.tolist(), strict=True):
                found.setdefault(partition, []).append(label)
        return found


def _require_key(customer_id: str, key: bytes | None) -> None:
    if key != customer_id.encode():
        raise InvalidEvent(InvalidReason.KEY_MISMATCH, "the record key is not the customer_id")
