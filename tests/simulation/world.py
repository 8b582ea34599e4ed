"""The simulated surroundings of a worker: topics, a disk that loses unflushed batches, sends in flight."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import NamedTuple

from app.adapters.kafka.bulk_fetch import Slice
from app.adapters.kafka.records import CLAIM_KEY, OutRecord, TopicBatch
from app.errors import Fenced

CHANGELOG = "changelog"


class Broken(AssertionError):
    """A guarantee was violated; the message holds the schedule."""


class Record(NamedTuple):
    """A record of the source log, as the Kafka client returns it."""

    key: bytes | None
    value: bytes | None
    offset: int
    topic: str = "transactions"
    partition: int = 0
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


class Topics(dict[str, list[OutRecord]]):
    """Records of each topic, and the newest producer epoch of the changelog."""

    epoch = 0
    refused = 0
    """Number of batches of former owners that were refused."""

    def claim(self) -> int:
        """Append a claim of the changelog under the next epoch, which is returned."""
        self.epoch += 1
        self[CHANGELOG].append(OutRecord(CLAIM_KEY, None))
        return self.epoch

    def accepts(self, topic: str, epoch: int) -> bool:
        """As a broker: a batch of an epoch older than the newest one is refused."""
        return topic != CHANGELOG or epoch == self.epoch

    def __missing__(self, topic: str) -> list[OutRecord]:
        self[topic] = []
        return self[topic]


class Sending:
    """A batch in flight: first it is appended to the topic, later the sender is acknowledged."""

    def __init__(self, topic: str, records: list[OutRecord], epoch: int) -> None:
        self.topic = topic
        self.records = records
        self.epoch = epoch
        self.acknowledged: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.last_offset = -1
        self.appended = False

    def append(self, topics: Topics) -> None:
        if not topics.accepts(self.topic, self.epoch):
            topics.refused += 1
            if not self.acknowledged.done():
                self.acknowledged.set_exception(Fenced("another worker has claimed the partition"))
            return
        topics[self.topic].extend(self.records)
        self.last_offset = len(topics[self.topic]) - 1
        self.appended = True


class Sender:
    """One worker's producer."""

    def __init__(self) -> None:
        self.in_flight: list[Sending] = []
        self.epoch = 0

    async def send_all(self, outputs: Iterable[TopicBatch], guard: Callable[[], None]) -> list[int]:
        guard()
        sendings = [Sending(output.topic, list(output.records), self.epoch) for output in outputs]
        self.in_flight += sendings
        return await asyncio.gather(*(sending.acknowledged for sending in sendings))

    def next_to_append(self) -> list[Sending]:
        """Return the oldest batch of each topic that is not appended yet: a producer keeps the order."""
        first: dict[str, Sending] = {}
        for sending in self.in_flight:
            if not sending.appended:
                first.setdefault(sending.topic, sending)
        return list(first.values())

    def next_to_acknowledge(self) -> list[Sending]:
        """Return the oldest batch of each topic if it is appended: it can be acknowledged."""
        first: dict[str, Sending] = {}
        for sending in self.in_flight:
            first.setdefault(sending.topic, sending)
        return [sending for sending in first.values() if sending.appended]

    def acknowledge(self, sending: Sending) -> None:
        self.in_flight.remove(sending)
        if not sending.acknowledged.done():
            sending.acknowledged.set_result(sending.last_offset)


class Disk:
    """One worker's RocksDB: atomic batches; a crash loses the newest unflushed ones."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._batches: list[tuple[dict[bytes, bytes | None], int]] = []
        self._written_out = 0
        self.profiles: dict[bytes, bytes] = {}
        self.offset = -1

    def is_new(self, partition: int) -> bool:  # noqa: ARG002  # there is one
        return self.offset < 0

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:  # noqa: ARG002  # there is one
        return [self.profiles.get(key) for key in keys]

    def write(self, partition: int, profiles: Mapping[bytes, bytes | None], changelog_offset: int) -> None:  # noqa: ARG002  # there is one
        changelog = self._topics[CHANGELOG]
        for key, value in profiles.items():
            if not any(r.key == key and r.value == value for r in changelog[: changelog_offset + 1]):
                raise Broken(
                    f"the disk has a profile of {key!r} that is not in the changelog up to {changelog_offset}"
                )
        self._batches.append((dict(profiles), changelog_offset))
        self._replay(self._batches[-1:])

    def write_out(self) -> None:
        """Flush: everything written so far survives a crash."""
        self._written_out = len(self._batches)

    def crash(self, random: Random) -> None:
        """Lose some of the newest batches, each as a whole."""
        del self._batches[random.randint(self._written_out, len(self._batches)) :]
        self._written_out = len(self._batches)
        self.profiles, self.offset = {}, -1
        self._replay(self._batches)

    def _replay(self, batches: Iterable[tuple[Mapping[bytes, bytes | None], int]]) -> None:
        for profiles, offset in batches:
            self.offset = offset
            for key, value in profiles.items():
                if value is None:
                    self.profiles.pop(key, None)
                else:
                    self.profiles[key] = value


class Fetched(NamedTuple):
    """A part of the changelog."""

    parts: list[Slice]

    def slices(self) -> Iterator[Slice]:
        return iter(self.parts)


class ChangelogReader:
    """Returns the changelog in parts of random size."""

    def __init__(self, topics: Topics, random: Random) -> None:
        self._topics = topics
        self._random = random

    async def fetch(self, topic: str, partition: int, offset: int, end: int) -> Fetched:  # noqa: ARG002  # there is one
        until = self._random.randint(offset + 1, end)
        records = [(r.key or b"", r.value) for r in self._topics[CHANGELOG][offset:until]]
        return Fetched([Slice(records, until)])


class NoProgress:
    """Reports nothing."""

    def begin(self, partitions: list[int], remaining: int) -> None: ...

    def advance(self, records: int, offsets: int) -> None: ...

    def end(self) -> None: ...
