"""Sends header names that are not UTF-8: aiokafka's compiled builder takes no others."""

from typing import Any

from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as PythonBuilder

from app.adapters.kafka.records import OutRecord

_MAGIC, _UNSET = 2, -1


class HeaderName(str):
    """A name that was decoded with ``surrogateescape``; it encodes to its stored bytes."""

    __slots__ = ()

    def encode(self, _: str = "utf-8", errors: str = "surrogateescape") -> bytes:
        return super().encode("utf-8", errors)


def append(producer: Any, batch: Any, record: OutRecord) -> bool:
    """Append a record to a batch of aiokafka; False if it must begin another batch."""
    try:
        appended = batch.append(
            timestamp=record.timestamp_ms,
            key=record.key,
            value=record.value,
            headers=list(record.headers),
        )
    except UnicodeEncodeError:
        return _append_any_name(producer, batch, record)
    return appended is not None


def _append_any_name(producer: Any, batch: Any, record: OutRecord) -> bool:
    """Append to a batch that aiokafka's Python builder builds, which calls ``encode`` of each name."""
    if not batch.record_count():
        _use_python_builder(producer, batch)
    elif not isinstance(batch._builder, PythonBuilder):  # noqa: SLF001  # no public way
        return False
    headers = [(HeaderName(name), value) for name, value in record.headers]
    appended = batch.append(
        timestamp=record.timestamp_ms, key=record.key, value=record.value, headers=headers
    )
    return appended is not None


def _use_python_builder(producer: Any, batch: Any) -> None:
    """Replace the builder of an empty batch by one with the same properties."""
    made_by = producer._message_accumulator  # noqa: SLF001  # no public way
    transactions = made_by._txn_manager  # noqa: SLF001  # as above
    builder = PythonBuilder(
        magic=_MAGIC,
        compression_type=made_by._compression_type,  # noqa: SLF001  # as above
        is_transactional=int(transactions is not None and transactions.transactional_id is not None),
        producer_id=_UNSET,
        producer_epoch=_UNSET,
        base_sequence=0,
        batch_size=made_by._batch_size,  # noqa: SLF001  # as above
    )
    batch._builder = builder  # noqa: SLF001  # as above
    batch._set_producer_state = builder.set_producer_state  # noqa: SLF001  # aiokafka's own requires the compiled builder
