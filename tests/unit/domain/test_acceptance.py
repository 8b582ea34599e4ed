"""Which transactions may change a profile."""

import gc
import sys

import msgspec
import pytest

from app.adapters.kafka.range_reader import LogRecord
from app.commands.shared.history import acceptance
from app.domain.acceptance import ID_FIELDS, TEXT_FIELDS, Acceptance
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason
from app.processing.decode_chunk import SourceLog, StoredProfiles, decode_records
from app.settings import Settings

NOW_MS = 1_760_000_000_000
ACCEPTANCE = Acceptance(earliest_event_time_ms=946_684_800_000, max_future_ms=300_000)
SOUND = Transaction(
    transaction_id="t1",
    customer_id="c1",
    terminal_id="m1",
    event_time=NOW_MS,
    amount_minor=100,
    currency="EUR",
)


def reason_of(transaction: Transaction, key: bytes | None = b"c1") -> InvalidReason | None:
    try:
        ACCEPTANCE.check(transaction, key=key, reference_ms=NOW_MS)
    except InvalidEvent as error:
        return error.reason
    return None


def test_a_transaction_under_its_customers_key_is_acceptable() -> None:
    assert reason_of(SOUND) is None


def test_a_key_is_compared_as_utf8() -> None:
    assert reason_of(msgspec.structs.replace(SOUND, customer_id="größe"), "größe".encode()) is None
    assert reason_of(msgspec.structs.replace(SOUND, customer_id="größe"), "größe".encode("latin-1")) is (
        InvalidReason.KEY_MISMATCH
    )


@pytest.mark.parametrize("key", [b"", b"c2", b"c1 ", b"C1"])
def test_another_key_is_a_mismatch(key: bytes) -> None:
    """The profile would be stored under a partition that is never searched for it."""
    assert reason_of(SOUND, key) == InvalidReason.KEY_MISMATCH


def test_a_file_has_no_keys() -> None:
    assert reason_of(SOUND, None) is None


@pytest.mark.parametrize(
    ("event_time", "expected"),
    [
        (946_684_799_999, InvalidReason.ABSURD_TIME),
        (946_684_800_000, None),
        (0, InvalidReason.ABSURD_TIME),
        (-1, InvalidReason.ABSURD_TIME),
        (NOW_MS // 1000, InvalidReason.ABSURD_TIME),  # seconds
        (NOW_MS + 300_000, None),
        (NOW_MS + 300_001, InvalidReason.FUTURE_TIME),
        (NOW_MS * 1000, InvalidReason.FUTURE_TIME),  # microseconds
        (2**63 - 1, InvalidReason.FUTURE_TIME),
        (2**200, InvalidReason.FUTURE_TIME),
    ],
)
def test_event_time_lies_between_the_bounds(event_time: int, expected: InvalidReason | None) -> None:
    assert expected == reason_of(msgspec.structs.replace(SOUND, event_time=event_time))


CARD = "4111111111111111"


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_a_card_number_is_refused_in_text_and_may_be_an_id(field: str) -> None:
    changed = msgspec.structs.replace(SOUND, **{field: CARD})
    strict = Acceptance(numeric_ids=frozenset())

    assert (field not in ID_FIELDS) == (reason_of(changed, changed.customer_id.encode()) is not None)
    with pytest.raises(InvalidEvent, match=f"card_number: `{field}`"):
        strict.check(changed, key=changed.customer_id.encode(), reference_ms=NOW_MS)


FULL_WIDTH = "".join(chr(ord("\N{FULLWIDTH DIGIT ZERO}") + int(digit)) for digit in CARD)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111_1111_1111_1111",
        "4111/1111/1111/1111",
        f"card {CARD}",
        FULL_WIDTH,
    ],
)
@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_a_card_number_in_groups_or_within_text_is_no_id(field: str, text: str) -> None:
    changed = msgspec.structs.replace(SOUND, **{field: text})

    assert reason_of(changed, changed.customer_id.encode()) == InvalidReason.CARD_NUMBER


def test_the_setting_has_the_default_of_the_rule() -> None:
    assert ",".join(ID_FIELDS) == Settings().acceptance.numeric_ids
    assert Acceptance().numeric_ids == acceptance(Settings()).numeric_ids
    assert (
        frozenset() == acceptance(Settings.from_env({"FRAUDSTREAM_ACCEPTANCE_NUMERIC_IDS": ""})).numeric_ids
    )


def test_what_is_told_names_the_field_and_not_its_value() -> None:
    changed = msgspec.structs.replace(SOUND, card_token="4111111111111111")  # noqa: S106  # a card scheme's test number

    with pytest.raises(InvalidEvent, match="card_token") as caught:
        ACCEPTANCE.check(changed, key=b"c1", reference_ms=NOW_MS)
    assert "4111" not in str(caught.value)


@pytest.mark.parametrize(
    ("timestamp", "accepted"),
    [
        (NOW_MS, True),
        (NOW_MS - 300_000, True),
        (NOW_MS - 300_001, False),  # the producer's clock is behind
        (NOW_MS + 3_600_000, True),  # ahead, by no more than its broker allows
        (NOW_MS // 1000, False),  # seconds
        (0, False),
        (-1, False),  # no timestamp
    ],
)
def test_only_the_records_own_time_decides(timestamp: int, accepted: bool) -> None:
    """The same for a worker with any clock, and for a replay a month later: none of them passes its own time."""
    log = SourceLog("transactions", 7, 0)
    record = LogRecord("transactions", 0, 0, timestamp, b"c1", msgspec.json.encode(SOUND), ())
    found = decode_records([record], StoredProfiles({b"c1": 0}, [b""], set()), log, ACCEPTANCE)

    assert [bool(found.accepted), bool(found.rejected)] == [accepted, not accepted]
    assert accepted or InvalidReason.FUTURE_TIME == found.rejected[0].error.reason


def test_a_rejected_record_is_freed_without_a_garbage_collection() -> None:
    """Workers collect all generations seldom, and a stack that leads back to the records would keep gigabytes until then."""
    log, before = SourceLog("transactions", 7, 0), StoredProfiles({b"c1": 0}, [b""], set())
    value = bytes(bytearray(b"{ not json"))
    references = sys.getrefcount(value)
    gc.disable()
    try:
        record = LogRecord("transactions", 0, 0, NOW_MS, b"c1", value, ())
        found = decode_records([record], before, log, ACCEPTANCE)
        assert [each.error.reason for each in found.rejected] == [InvalidReason.NOT_JSON]
        del record, found
        assert sys.getrefcount(value) == references
    finally:
        gc.enable()
