"""Decoding a dead letter returns the source record byte for byte."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.cdc.transaction_decoder import decode_plain
from app.adapters.kafka.records import OutRecord, Unreadable
from app.adapters.schema_registry.wire_format import is_framed
from app.adapters.serde.json_codec import label_of
from app.adapters.topic_records.dead_letters import DeadLetter, LogPosition, read
from app.commands.shared.times import parse
from app.errors import InvalidEvent, InvalidReason
from app.processing.output_records import dead_letter
from app.rendering.dead_letter_text import as_line
from app.traffic.resend import REPLAYED_HEADER, Refused, prepare

TOPIC = "transactions"
headers = st.lists(
    st.tuples(
        st.sampled_from(["a", "traceparent", "__streams.errors.topic", "fraud.error.code", REPLAYED_HEADER]),
        st.binary(max_size=9),
    ),
    max_size=6,
)


class Source(NamedTuple):
    """A source record."""

    key: bytes | None = b"c1"
    value: bytes | None = b'{"customer_id": "c1"}'
    headers: Any = ()
    timestamp: int = 1_760_000_000_000
    topic: str = TOPIC
    partition: int = 3
    offset: int = 77


def letter_of(source: Source, reason: InvalidReason = InvalidReason.WRONG_TYPE) -> DeadLetter:
    sent = dead_letter(source, InvalidEvent(reason, "`amount_minor` is no integer"))
    return read(Source(sent.key, sent.value, tuple(sent.headers), sent.timestamp_ms or 0, "dlq", 1, 5))


@given(
    key=st.none() | st.binary(),
    value=st.none() | st.binary(),
    own=headers,
    timestamp=st.integers(0, 2**53),
)
def test_a_resent_record_is_the_source_record_plus_one_header(
    key: bytes | None, value: bytes | None, own: list[tuple[str, bytes]], timestamp: int
) -> None:
    """Source headers whose names equal those of a dead letter are kept."""
    letter = letter_of(Source(key, value, tuple(own), timestamp))

    expected = OutRecord(key, value, timestamp, [*own, (REPLAYED_HEADER, b"transactions:3:77")])
    assert expected == prepare(letter, TOPIC, rekey=False)
    assert (LogPosition(1, 5), LogPosition(3, 77), "wrong_type") == (
        letter.position,
        letter.source,
        letter.code,
    )


def test_a_record_that_is_no_dead_letter_is_reported_and_refused() -> None:
    letter = read(Source(headers=(("a", b"b"),)))

    assert ("", "", LogPosition(-1, -1)) == (letter.code, letter.source_topic, letter.source)
    assert isinstance(prepare(letter, TOPIC, rekey=True), Refused)


def test_headers_of_a_dead_letter_cannot_choose_the_target_topic() -> None:
    assert isinstance(prepare(letter_of(Source(topic="payroll")), TOPIC, rekey=True), Refused)


def test_a_wrong_key_is_refused_unless_it_is_replaced() -> None:
    letter = letter_of(Source(key=b"other"), InvalidReason.KEY_MISMATCH)
    rekeyed = prepare(letter, TOPIC, rekey=True)

    assert isinstance(prepare(letter, TOPIC, rekey=False), Refused)
    assert isinstance(rekeyed, OutRecord)
    assert (b"c1", letter.value) == (rekeyed.key, rekeyed.value)


@pytest.mark.parametrize("value", [None, b"", b"[]", b"{}", b'{"customer_id": 7}', b"\xff"])
def test_a_record_without_a_customer_cannot_be_given_a_key(value: bytes | None) -> None:
    letter = letter_of(Source(b"other", value), InvalidReason.KEY_MISMATCH)

    assert isinstance(prepare(letter, TOPIC, rekey=True), Refused)


def test_only_a_wrong_key_is_replaced() -> None:
    prepared = prepare(letter_of(Source(key=b"c1", value=b"broken")), TOPIC, rekey=True)

    assert isinstance(prepared, OutRecord)
    assert b"c1" == prepared.key


def test_a_summary_shows_position_time_and_reason_but_no_data_of_the_record() -> None:
    line = as_line(letter_of(Source(b"secret-key", b"secret-value", (("secret-header", b"secret"),))))

    assert "1:5" in line
    assert "2025-10-09T08:53:20Z  wrong_type" in line
    assert "(transactions:3:77)" in line
    assert "secret" not in line


def test_control_characters_in_a_record_do_not_reach_the_console() -> None:
    hostile = Source(b"c1", b"{}", (("error_message", b"\x1b]0;x\x07\nall is well"),))

    assert as_line(letter_of(hostile)).isprintable()


def test_a_time_without_a_zone_is_utc() -> None:
    assert parse("2026-01-01T00:00:00Z") == parse("2026-01-01")


def test_stored_bytes_that_are_no_record_are_refused() -> None:
    letter = letter_of(Source(None, b"batch"), InvalidReason.UNREADABLE)
    refused = prepare(letter, TOPIC, rekey=True)
    assert isinstance(refused, Refused)
    assert refused.why == "its bytes are no record that can be sent"


def test_a_record_that_cannot_be_parsed_becomes_a_dead_letter_by_its_bytes() -> None:
    value = Unreadable(b"\x00\x01\x02")
    value.why = "a header has no name"
    source = Source(None, value)
    decoders: list[Callable[[Any], object]] = [decode_plain, label_of]
    for decode in decoders:
        with pytest.raises(InvalidEvent) as caught:
            decode(source)
        assert (caught.value.reason, caught.value.detail) == (
            InvalidReason.UNREADABLE,
            "a header has no name",
        )
    assert not is_framed(value, ())
    sent = dead_letter(source, caught.value)
    assert type(sent.value) is bytes
    assert sent.value == value


@pytest.mark.parametrize("offset", [b"9" * 5_000, b"9" * 20, "\u00b2".encode(), b"-7", b""])
def test_an_offset_that_is_none_is_unknown(offset: bytes) -> None:
    """Every client with write access to the topic can set any headers."""
    headers = (("__streams.errors.topic", b"t"), ("__streams.errors.offset", offset))

    assert read(Source(headers=headers)).source == LogPosition(-1, -1)


@pytest.mark.parametrize("timestamp", [253_402_300_800_000, 2**63 - 1])
def test_a_timestamp_beyond_the_year_9999_is_shown_as_a_number(timestamp: int) -> None:
    assert f" {timestamp} ms " in as_line(letter_of(Source(timestamp=timestamp)))


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\xff", b'{"customer_id": 1}', b"[" * 600 + b"]" * 600])
def test_a_wrong_key_cannot_be_replaced_from_a_value_without_customer(value: bytes | None) -> None:
    letter = letter_of(Source(value=value), InvalidReason.KEY_MISMATCH)

    assert isinstance(prepare(letter, TOPIC, rekey=True), Refused)
