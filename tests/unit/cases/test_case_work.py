"""Alerts, labels and answers are decoded and checked; what cannot be stored is a dead letter, byte for byte."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.range_reader import LogRecord
from app.adapters.serde.json_codec import label_of
from app.cases.contract import CaseAlert
from app.domain.acceptance import Acceptance
from app.errors import InvalidReason
from app.processing.case_work import CaseChunk, CaseDecoder, change_record
from app.processing.chunk import Chunk
from app.settings import Stream
from tests.integration.cases.role import alert, answer, label

AT_MS = 1_772_000_000_000


def record(event: Any, key: str = "c1", offset: int = 0) -> LogRecord:
    value = event if isinstance(event, bytes) else json.dumps(event).encode()
    return LogRecord("topic", 0, offset, AT_MS, key.encode(), value, ())


def decoded(stream: Stream, *records: LogRecord) -> CaseChunk:
    return CaseDecoder(Acceptance(), lambda each: each, label_of).compute(stream, Chunk(0, records))


def changed(event: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(event))
    *outer, name = path.split(".")
    place = copy
    for each in outer:
        place = place[each]
    place[name] = value
    return copy


def test_an_alert_keeps_its_record_as_it_came() -> None:
    sent = record(alert(1, "c1", AT_MS), offset=5)

    chunk = decoded(Stream.ALERTS, sent)

    (one,) = chunk.accepted
    assert (5, sent.value) == (one.offset, one.body)
    assert isinstance(one.event, CaseAlert)
    assert ("alert-t1", "c1", "m1", 1_000) == (
        one.event.alert_id, one.event.customer_id, one.event.terminal_id, one.event.amount_minor
    )  # fmt: skip
    assert [] == list(chunk.outputs())


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("alert_id", "alert-other", InvalidReason.OUT_OF_RANGE),
        ("customer_id", "c2", InvalidReason.KEY_MISMATCH),
        ("score", 1.5, InvalidReason.OUT_OF_RANGE),
        ("scored_at", AT_MS + 10**9, InvalidReason.FUTURE_TIME),
        ("event_time", 5, InvalidReason.ABSURD_TIME),
        ("transaction.terminal_id", "m\0", InvalidReason.OUT_OF_RANGE),
        ("transaction.device_id", "d\0", InvalidReason.OUT_OF_RANGE),
        ("transaction.amount_minor", 10**16, InvalidReason.OUT_OF_RANGE),
    ],
)
def test_an_alert_that_cannot_be_a_row_is_a_dead_letter(path: str, value: Any, reason: InvalidReason) -> None:
    sent = record(changed(alert(1, "c1", AT_MS), path, value))

    chunk = decoded(Stream.ALERTS, sent, record(alert(2, "c1", AT_MS), offset=1))

    assert [reason] == [entry.error.reason for entry in chunk.rejected]
    assert [1] == [one.offset for one in chunk.accepted]
    ((stream, _, letters),) = chunk.outputs()
    assert Stream.DEAD_LETTERS is stream
    assert [(sent.key, sent.value)] == [(letter.key, letter.value) for letter in letters]


@pytest.mark.parametrize(
    ("stream", "of", "key"), [(Stream.LABELS, label, "m1"), (Stream.ANSWERS, answer, "c1")]
)
def test_labels_and_answers_are_checked_against_their_key(
    stream: Stream, of: Callable[..., Mapping[str, Any]], key: str
) -> None:
    event = of(1, "c1", AT_MS, is_fraud=True) if of is label else of(1, "c1", AT_MS)

    assert 1 == len(decoded(stream, record(event, key)).accepted)
    (entry,) = decoded(stream, record(event, "another")).rejected
    assert InvalidReason.KEY_MISMATCH is entry.error.reason


@given(st.text(max_size=20), st.sampled_from(["transaction_id", "customer_id", "transaction.terminal_id"]))
def test_whatever_text_an_alert_holds_it_is_stored_or_a_dead_letter(text: str, path: str) -> None:
    event = changed(alert(1, "c1", AT_MS), path, text)
    event["alert_id"] = f"alert-{event['transaction_id']}"

    chunk = decoded(Stream.ALERTS, record(event, event["customer_id"]))

    for one in chunk.accepted:
        assert isinstance(one.event, CaseAlert)
        for stored in (one.event.transaction_id, one.event.customer_id, one.event.terminal_id):
            assert "\0" not in stored
            stored.encode()
    assert 1 == len(chunk.accepted) + len(chunk.rejected)


@given(st.binary(max_size=60), st.sampled_from([Stream.ALERTS, Stream.LABELS, Stream.ANSWERS]))
def test_no_bytes_end_the_worker(value: bytes, stream: Stream) -> None:
    chunk = decoded(stream, record(value))

    assert 1 == len(chunk.accepted) + len(chunk.rejected)


def test_a_change_is_a_cloud_event_with_a_fixed_id() -> None:
    made = change_record("case-t1", 3, b"{}")

    assert (b"case-t1", b"case-t1:3") == (made.key, dict(made.headers)["ce_id"])
