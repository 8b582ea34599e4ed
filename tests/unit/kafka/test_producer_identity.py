"""Producer identities in encoded batches, as a Kafka client reads them."""

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.producer_identity import ProducerIdentity, stamp

NO_COMPRESSION = 0
sizes = st.lists(st.integers(1, 2**30), min_size=1, max_size=5)


@given(
    producer_id=st.integers(0, 2**63 - 1),
    epoch=st.integers(0, 2**15 - 1),
    sequence=st.integers(0, 2**31 - 1),
    values=st.lists(st.binary(max_size=50), min_size=1, max_size=5),
)
def test_a_stamped_batch_has_the_identity_its_records_and_a_right_checksum(
    producer_id: int, epoch: int, sequence: int, values: list[bytes]
) -> None:
    builder = BatchBuilder(2**20, NO_COMPRESSION)
    for value in values:
        builder.append(timestamp=1, key=b"k", value=value)
    encoded = builder._build()
    stamp(encoded, ProducerIdentity(producer_id, epoch), sequence)

    batch = MemoryRecords(bytes(encoded)).next_batch()
    assert batch is not None
    assert batch.validate_crc()
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (producer_id, epoch, sequence)
    assert [record.value for record in batch] == values


@given(sizes=sizes)
def test_sequence_numbers_follow_one_another_and_begin_again_after_the_largest(sizes: list[int]) -> None:
    identity = ProducerIdentity(1, 0)
    found = [identity.number("changelog", 0, size) for size in sizes]

    assert found == [sum(sizes[:place]) % 2**31 for place in range(len(sizes))]
    assert identity.number("changelog", 1, 1) == 0
