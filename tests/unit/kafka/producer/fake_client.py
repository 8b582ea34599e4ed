"""The Kafka client and the pool that a BatchProducer uses, as fakes."""

import asyncio
import struct
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError, ProducerFenced

from app.adapters.kafka.producer_identity import ProducerIdentity
from app.adapters.kafka.records import Headers, OutRecord

LARGE = OutRecord(b"k", bytes(100_000))
SMALL = OutRecord(b"k", b"v")
BATCH_HEADER_BYTES = 61


class Batch:
    """A batch of at most three records."""

    def __init__(self, journal: list[str]) -> None:
        self.values: list[bytes | None] = []
        self.headers: list[Headers] = []
        self._journal = journal
        self._bytes: bytearray | None = None

    def append(self, value: bytes | None, headers: Headers, **_: Any) -> object | None:
        if len(self.values) == 3:
            return None
        self.values.append(value)
        self.headers.append(headers)
        return self.values

    def close(self) -> None: ...

    def size(self) -> int:
        return sum(len(value or b"") for value in self.values)

    def record_count(self) -> int:
        return len(self.values)

    def _build(self) -> bytearray:
        if self._bytes is None:
            self._journal.append("compressed")
            self._bytes = bytearray(BATCH_HEADER_BYTES)
        return self._bytes


class ManualExecutor(Executor):
    """Runs each submitted task when the test calls ``run_one``."""

    def __init__(self) -> None:
        self._submitted: list[tuple[Callable[..., Any], Future[Any]]] = []

    def submit(self, task: Callable[..., Any], /, *_: Any, **__: Any) -> Future[Any]:
        done: Future[Any] = Future()
        self._submitted.append((task, done))
        return done

    def run_one(self) -> None:
        task, done = self._submitted.pop(0)
        try:
            done.set_result(task())
        except MemoryError as error:
            done.set_exception(error)


class Answer(NamedTuple):
    offset: int
    timestamp: int = -1
    timestamp_type: int = 0


class Producer:
    """A fake aiokafka producer that acknowledges at once."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        self.headers: list[Headers] = []
        """Of each record."""
        self.identities: list[tuple[int, int, int]] = []
        """Producer id, epoch and first sequence number of each batch."""
        self.next_offset: dict[tuple[str, int], int] = {}
        self.append_times: dict[str, int] = {}
        """By topic whose timestamps are the broker's."""
        self.refusal: type[KafkaError] | None = None
        """The error of each send."""

    def create_batch(self) -> Batch:
        return Batch(self.journal)

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[Answer]:
        if self.refusal is not None:
            raise self.refusal
        self.journal.append(f"{topic} sent")
        self.headers += batch.headers
        self.identities.append(identity_of(batch))
        first = self.next_offset.get((topic, partition), 0)
        self.next_offset[topic, partition] = first + batch.record_count()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        own = self.append_times.get(topic)
        answer.set_result(Answer(first) if own is None else Answer(first, own, 1))
        return answer

    async def stop(self) -> None: ...


def identity_of(batch: Batch) -> tuple[int, int, int]:
    found: tuple[int, int, int] = struct.unpack_from(">qhi", batch._build(), 43)
    return found


class Ids:
    """Gives out producer ids from 1 on; each name has the id 1,000 and its next epoch."""

    def __init__(self) -> None:
        self._given = 0
        self._epochs: Counter[str] = Counter()

    async def new(self) -> ProducerIdentity:
        self._given += 1
        return ProducerIdentity(self._given, 0)

    async def take_over(self, name: str) -> ProducerIdentity:
        self._epochs[name] += 1
        return ProducerIdentity(1_000, self._epochs[name])

    async def renew(self, name: str, current: ProducerIdentity) -> ProducerIdentity:
        if current.epoch != self._epochs[name]:
            raise ProducerFenced
        return await self.take_over(name)
