"""Computes the chunks of an entities worker: labels become facts about the entities they name, facts change activities."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from app.adapters.kafka.partitioner import partitions_of
from app.adapters.kafka.records import OutRecord, Record
from app.adapters.serde.fact_codec import label_facts, read_facts
from app.adapters.serde.json_codec import label_of
from app.domain.acceptance import Acceptance
from app.domain.card_evidence import CardEvidence
from app.domain.label import Label
from app.errors import InvalidEvent
from app.features.activity import observe, observe_each, queries
from app.features.delayed_features import touched
from app.features.entities import ENTITIES, DelayedEntity
from app.processing.chunk import Chunk
from app.processing.decode_chunk import Rejected, state_corrupt
from app.processing.fact_checks import FactChecks
from app.processing.fact_records import entity_records
from app.processing.output_records import dead_letter
from app.processing.outputs import Output
from app.processing.source_ends import SourceEnds
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.settings import Stream


class LabelChunk(NamedTuple):
    """A computed chunk of labels. It changes no state: its facts are read back from the entities' topic.

    Labels that are read twice produce the same facts twice, and the activity applies each fact once.
    """

    partition: int
    last_offset: int
    labels: int
    activity: dict[int, list[OutRecord]]
    """Facts by partition of the entities' topic."""
    rejected: list[Rejected]
    numeric_id_hits: dict[str, int]
    """Accepted ids that look like card numbers, by field."""
    states: dict[bytes, bytes] = {}  # noqa: RUF012  # never changed

    @property
    def records(self) -> int:
        return self.labels + len(self.rejected)

    def outputs(self) -> Iterator[Output]:
        """See outputs.ComputedChunk."""
        yield Output(Stream.DEAD_LETTERS, self.partition, [dead_letter(*entry) for entry in self.rejected])
        for partition, records in self.activity.items():
            yield Output(Stream.ENTITY_ACTIVITY, partition, records)


class LabelRouter:
    """Turns labels into facts, one for each entity, keyed by the entity."""

    def __init__(
        self,
        acceptance: Acceptance,
        partitions: int,
        decode: Callable[[Record], Label] = label_of,
        entities: Sequence[DelayedEntity] = ENTITIES,
    ) -> None:
        self._acceptance = acceptance
        self._card_evidence = CardEvidence(acceptance.numeric_ids)
        self._partitions = partitions
        self._decode = decode
        self._entities = entities

    def compute(self, chunk: Chunk) -> LabelChunk:
        """Raises CardNumbersFound before the facts of a chunk of card numbers are sent."""
        labels, rejected = [], []
        for record in chunk.records:
            try:
                labels.append(self._label(record))
            except InvalidEvent as error:
                rejected.append(Rejected.of(record, error))
        hits = self._card_evidence.add(labels)
        about, whole = touched(labels, self._entities), slice(None)
        (activity,) = entity_records(about, label_facts(labels), self._partitions, [whole])
        return LabelChunk(chunk.partition, chunk.records[-1].offset, len(labels), activity, rejected, hits)

    def _label(self, record: Record) -> Label:
        label = self._decode(record)
        self._acceptance.check_label(label, key=record.key or b"", reference_ms=record.timestamp)
        return label


class EntityChunk(NamedTuple):
    """A computed chunk of facts."""

    partition: int
    number: int
    """Of the chunk, in the order its partition's chunks are computed."""
    last_offset: int
    states: dict[bytes, bytes]
    """Encoded activities that changed, by entity."""
    applied: int
    repeated: int
    """Facts sent before: their sender was taken over and sent them again."""
    rejected: list[Rejected]

    @property
    def records(self) -> int:
        return self.applied + self.repeated + len(self.rejected)

    def outputs(self) -> Iterator[Output]:
        """See outputs.ComputedChunk."""
        yield Output(Stream.DEAD_LETTERS, self.partition, [dead_letter(*entry) for entry in self.rejected])


def compile_facts() -> None:
    """Compile the machine code before the first chunk: without a cache that takes longer than a session lasts."""
    nothing = np.zeros(1, np.int64)
    observe([b""], queries(nothing, nothing))
    partitions_of([b"a key"], 1)


class FactFold:
    """Folds facts into the activities of a cache. ``topic_id`` is that of the topic they come from."""

    def __init__(
        self,
        topic_id: int,
        activities: StateCache,
        acceptance: Acceptance,
        source_ends: Callable[[], SourceEnds],
    ) -> None:
        self._topic_id = topic_id
        self._activities = activities
        self._checks = FactChecks(acceptance, source_ends)

    def compute(self, chunk: Chunk, stopwatch: Stopwatch) -> EntityChunk:
        """Fold one chunk, and put the changed activities into the cache.

        A stored activity that cannot be decoded stays as it is, and the facts about its entity are rejected.
        """
        facts, rejected = self._checks.split(chunk.records)
        keys = [record.key or b"" for record in facts]
        indexes = {key: index for index, key in enumerate(dict.fromkeys(keys))}
        stopwatch.lap("decode")
        before = self._activities.take(chunk.partition, list(indexes))
        stopwatch.lap("load")
        entity = np.array([indexes[key] for key in keys], np.int64)
        columns = read_facts(
            [record.value or b"" for record in facts], entity, [record.offset for record in facts]
        )
        observed = observe_each(before, columns, self._topic_id)
        kept = zip(indexes, observed.states, observed.corrupt.tolist(), strict=True)
        changed = {key: state for key, state, corrupt in kept if not corrupt}
        unfolded = [facts[index] for index in np.flatnonzero(observed.corrupt[entity])]
        rejected += [Rejected(record, state_corrupt()) for record in unfolded]
        number = self._activities.put(chunk.partition, changed)
        stopwatch.lap("fold")
        applied = int(np.count_nonzero(observed.applied))
        return EntityChunk(
            partition=chunk.partition,
            number=number,
            last_offset=chunk.records[-1].offset,
            states=changed,
            applied=applied,
            repeated=len(facts) - len(unfolded) - applied,
            rejected=rejected,
        )
