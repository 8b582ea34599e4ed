"""aiokafka compresses at the level of fast_zstd. Fails if an aiokafka release moves the codec that it replaces."""

import cramjam
from aiokafka.producer.message_accumulator import BatchBuilder

from app.adapters.kafka import fast_zstd

ZSTD = 4
VALUES = [
    b'{"transaction_id":"%d","amount_minor":%d}' % (number, number * 7919 % 10_007) for number in range(2_000)
]


def batch_bytes(compression: int) -> bytes:
    batch = BatchBuilder(4 * 1024 * 1024, compression, is_transactional=False)
    for value in VALUES:
        batch.append(timestamp=1, key=b"k", value=value, headers=[])
    batch.close()
    return bytes(batch._build())


def test_a_batch_is_compressed_at_the_installed_level() -> None:
    fast_zstd.install()
    records = batch_bytes(0)[61:]  # behind the batch's header (KIP-98)
    assert batch_bytes(ZSTD)[61:] == bytes(cramjam.zstd.compress(records, level=fast_zstd.LEVEL))
    assert batch_bytes(ZSTD)[61:] != bytes(cramjam.zstd.compress(records, level=3))
