"""With a key, only orders that it signed for the place where they are read are followed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.records import Headers, OutRecord
from app.adapters.topic_records.control_log import (
    ControlLog,
    order_record,
    report_record,
    skip_record,
    withdrawal_record,
)
from app.adapters.topic_records.order_sending import TRIES, send_signed, signing_key
from app.adapters.topic_records.order_signatures import HEADER, OrderPlace, order_check, signed
from app.domain.control import CHALLENGERS_KEY, CHAMPION_KEY, ModelOrder
from app.errors import ConfigurationError, SendFailed
from app.settings import ControlSettings, Settings
from tests.support.wire.control_records import CANARY, ORDER, REPORT, SKIP
from tests.support.wire.signing import write_pair

TOPIC_ID = "a1b2"
KEY, OTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
NEWER = msgspec.structs.replace(ORDER, ordered_at=9)
RECORDS = [order_record(ORDER), order_record(CANARY), skip_record(SKIP), withdrawal_record(CHALLENGERS_KEY)]


class Read(NamedTuple):
    """A record as a consumer returns it."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    offset: int


def at(offset: int, record: OutRecord) -> Read:
    return Read(record.key, record.value, record.headers, offset)


def signed_for(offset: int, record: OutRecord, key: Ed25519PrivateKey = KEY) -> OutRecord:
    return signed(record, OrderPlace(TOPIC_ID, offset), key)


def new_log(topic_id: str = TOPIC_ID) -> ControlLog:
    return ControlLog(order_check(KEY.public_key(), topic_id))


def followed(log: ControlLog) -> tuple[Any, ...]:
    return (*log.orders, *log.skips.values())


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.key.decode())
def test_a_signed_order_is_followed_where_it_was_signed_for(record: OutRecord) -> None:
    log = new_log()
    before = followed(log)
    log.apply(at(5, signed_for(5, record)))

    assert followed(log) != before
    assert (log.refused, log.order_refused) == (0, None)


def forged(record: OutRecord) -> OutRecord:
    return msgspec.structs.replace(record, value=order_record(NEWER).value)


def other_key(record: OutRecord) -> bytes:
    return CHAMPION_KEY if record.key != CHAMPION_KEY else CHALLENGERS_KEY


ATTACKS: dict[str, tuple[Callable[[OutRecord], Read], str]] = {
    "unsigned": (lambda record: at(5, record), "not signed"),
    "by another key": (lambda record: at(5, signed_for(5, record, OTHER_KEY)), "not of the trusted key"),
    "later again": (lambda record: at(6, signed_for(5, record)), "signed for offset 5"),
    "earlier": (lambda record: at(4, signed_for(5, record)), "signed for offset 5"),
    "of another topic": (
        lambda record: at(5, signed(record, OrderPlace("c3", 5), KEY)),
        "of the topic with the id c3",
    ),
    "with another value": (lambda record: at(5, forged(signed_for(5, record))), "of another order"),
    "with another key of the record": (
        lambda record: at(5, msgspec.structs.replace(signed_for(5, record), key=other_key(record))),
        "of another order",
    ),
    "signed twice": (
        lambda record: at(5, msgspec.structs.replace(record, headers=[*signed_for(5, record).headers] * 2)),
        "not signed",
    ),
    "no JSON": (lambda record: Read(record.key, record.value, [(HEADER, b"\xff")], 5), "not signed"),
    "null": (lambda record: Read(record.key, record.value, [(HEADER, None)], 5), "not signed"),  # type: ignore[list-item]  # a header may have no value
    "deep": (lambda record: Read(record.key, record.value, [(HEADER, b"[" * 100_000)], 5), "not signed"),
    "short": (
        lambda record: Read(
            record.key, record.value, [(HEADER, b'{"topic_id":"a1b2","offset":5,"signature":"AAAA"}')], 5
        ),
        "not of the trusted key",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.key.decode())
def test_a_forged_or_repeated_order_is_refused_counted_and_named(record: OutRecord, attack: str) -> None:
    log = new_log()
    make, why = ATTACKS[attack]
    before = followed(log)

    assert not log.apply(make(record))
    assert (followed(log), log.refused) == (before, 1)
    assert log.order_refused is not None
    assert why in log.order_refused.reason


def test_an_old_order_is_no_order_again_even_where_compaction_has_removed_all_others() -> None:
    """Champion 1, then 2. An attacker sends 1 again, so that compaction leaves nothing else."""
    first = signed_for(5, order_record(ORDER))
    log = new_log()
    log.apply(at(9, first))

    assert log.orders.champion is None


def test_a_forged_withdrawal_leaves_the_order() -> None:
    log = new_log()
    log.apply(at(5, signed_for(5, order_record(ORDER))))
    log.apply(at(6, withdrawal_record(CHAMPION_KEY)))

    assert (log.orders.champion, log.orders.heard) == (ORDER, 5)


def test_the_signature_of_an_empty_value_is_none_of_a_tombstone() -> None:
    log = new_log()
    log.apply(at(5, signed_for(5, order_record(ORDER))))
    empty = signed_for(6, OutRecord(CHAMPION_KEY, b""))
    log.apply(at(6, msgspec.structs.replace(empty, value=None)))

    assert log.orders.champion == ORDER


def test_the_key_of_a_refused_order_is_shown_cut_and_escaped() -> None:
    log = new_log()
    log.apply(Read(b"skip/\x1b[2J\n\xff" + 1_000 * b"a", b"{}", (), 5))

    assert log.order_refused is not None
    assert log.order_refused.key.startswith("skip/\\x1b[2J\\n\\xffaaa")
    assert len(log.order_refused.key) < 200


def test_reports_need_no_signature() -> None:
    log = new_log()
    log.apply_report(at(0, report_record(REPORT)))

    assert log.reports == {REPORT.worker: REPORT}


@given(st.binary(max_size=200), st.integers(-(2**63), 2**63 - 1))
def test_no_header_ends_the_reading(header: bytes, offset: int) -> None:
    log = new_log()
    assert not log.apply(Read(CHAMPION_KEY, order_record(ORDER).value, [(HEADER, header)], offset))
    assert log.refused == 1


class Topic:
    """The offsets of a topic to which others write too: ``others`` records before each batch."""

    def __init__(self, others: list[int]) -> None:
        self.others = others
        self.log = new_log()
        self.end = 7

    async def next_place(self) -> OrderPlace:
        return OrderPlace(TOPIC_ID, self.end)

    async def send(self, records: Any) -> int:
        self.end += self.others.pop(0) if self.others else 0
        for record in records:
            self.log.apply(at(self.end, record))
            self.end += 1
        return self.end - 1


ORDERS = [withdrawal_record(CHALLENGERS_KEY), order_record(ORDER)]


async def test_orders_are_signed_again_when_another_record_takes_their_offset() -> None:
    topic = Topic([1, 3])

    assert await send_signed(ORDERS, KEY, topic.next_place, topic.send) == 16
    assert topic.log.orders.champion == ORDER
    assert (topic.log.refused, topic.log.orders.heard) == (4, 16)


async def test_orders_that_never_get_their_offset_are_reported() -> None:
    topic = Topic([1] * TRIES)

    with pytest.raises(SendFailed, match="another record took the offset"):
        await send_signed(ORDERS, KEY, topic.next_place, topic.send)
    assert topic.log.orders.champion is None


class TestSigningKey:
    @pytest.fixture
    def keys(self, tmp_path: Path) -> Path:
        for name in ("ours", "theirs"):
            write_pair(tmp_path, name)
        return tmp_path

    def test_it_is_read_from_a_file(self, keys: Path) -> None:
        assert signing_key(Settings(), keys / "ours.pem") is not None
        assert signing_key(trusting(keys), keys / "ours.pem") is not None
        assert signing_key(Settings(), None) is None

    def test_an_order_that_would_be_refused_is_not_sent(self, keys: Path) -> None:
        with pytest.raises(ConfigurationError, match="--key FILE"):
            signing_key(trusting(keys), None)
        with pytest.raises(ConfigurationError, match="would be refused"):
            signing_key(trusting(keys), keys / "theirs.pem")


def trusting(keys: Path) -> Settings:
    return Settings(control=ControlSettings(public_key_file=str(keys / "ours.pub")))


def test_the_champion_of_a_forged_order_is_no_part_of_a_signed_one() -> None:
    """`rollback --key` would otherwise sign what an unsigned order names as the model before."""
    evil = ModelOrder(model=ORDER.model, previous=CANARY.model, ordered_at=1)
    log = new_log()
    log.apply(at(0, order_record(evil)))

    assert log.orders.champion is None
