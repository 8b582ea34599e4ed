"""Header names that are not UTF-8 are sent with the bytes that they were read with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.record_batches.batch_format import read_batch
from app.adapters.kafka.record_batches.header_names import HeaderName, append
from app.adapters.kafka.records import OutRecord

LATIN = OutRecord(b"k", b"v", 1, [("M\udcfcller", b"x"), ("é", None)])  # type: ignore[list-item]  # header values may be null
PLAIN = OutRecord(b"k", b"w", 2, [("name", b"y")])


@asynccontextmanager
async def producing(**options: object) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1", **options)
    yield producer
    await producer.stop()


@given(st.binary(max_size=20))
def test_a_name_keeps_its_bytes(name: bytes) -> None:
    assert HeaderName(name.decode("utf-8", "surrogateescape")).encode() == name


@pytest.mark.parametrize("compression", [None, "zstd", "gzip", "lz4", "snappy"])
async def test_names_of_any_bytes_are_sent(compression: str | None) -> None:
    async with producing(compression_type=compression) as producer:
        batch = producer.create_batch()
        assert append(producer, batch, LATIN)
        assert append(producer, batch, PLAIN)
        assert append(producer, batch, LATIN)
        first, second, third = read_batch(bytes(batch._build()), 0)
    assert [first.headers, second.headers, third.headers] == [LATIN.headers, PLAIN.headers, LATIN.headers]
    assert [record.timestamp for record in (first, second, third)] == [1, 2, 1]


async def test_such_a_record_begins_a_batch() -> None:
    async with producing() as producer:
        batch = producer.create_batch()
        assert append(producer, batch, PLAIN)
        assert not append(producer, batch, LATIN)
        (record,) = read_batch(bytes(batch._build()), 0)
    assert record.value == b"w"


async def test_an_idempotent_producer_numbers_the_batch() -> None:
    async with producing(enable_idempotence=True) as producer:
        batch = producer.create_batch()
        append(producer, batch, LATIN)
        batch._set_producer_state(7, 1, 3)
        raw = bytes(batch._build())
    assert raw[43:57] == (7).to_bytes(8, "big") + (1).to_bytes(2, "big") + (3).to_bytes(4, "big")
    assert list(read_batch(raw, 0))
