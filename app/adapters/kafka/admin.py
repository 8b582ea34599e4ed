"""Describes topics and creates missing ones. Nothing is altered or deleted here."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaError,
    LeaderNotAvailableError,
    NoError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.admin import (
    CreateTopicsRequest,
    DescribeConfigsRequest,
)

from app.adapters.kafka import connection as kafka_connection
from app.adapters.kafka.connection import REQUEST_TIMEOUT_MS, Brokers
from app.adapters.kafka.protocol.error_codes import refuse_transient
from app.adapters.kafka.protocol.metadata import describe_topics
from app.adapters.kafka.protocol.rights import Operation, refused_right
from app.adapters.kafka.security import Cluster
from app.domain.words import named
from app.errors import ConfigurationError, RightMissing, TopicMismatch

LEADERS_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.1
TOPIC_RESOURCE = 2


class NewTopic(msgspec.Struct, frozen=True, kw_only=True):
    """A topic to create; ``configs`` has Kafka's own names."""

    name: str
    partitions: int
    replication_factor: int
    configs: Mapping[str, str]


class FoundTopic(msgspec.Struct, frozen=True, kw_only=True):
    """An existing topic as the brokers describe it."""

    topic_id: UUID
    """Differs from the id of an earlier topic of the same name, whose offsets mean something else."""
    partitions: int
    replication_factor: int
    """The number of replicas of the partition that has the fewest."""
    configs: Mapping[str, str]
    """Effective values, set on the topic or by default."""


class KafkaAdmin:
    """Topic administration. Every method raises ConfigurationError when no broker answers or one refuses."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers

    async def broker_count(self) -> int:
        """The number of brokers that are up."""
        return len((await self._brokers.state(describe_topics([]))).brokers)

    async def topic_ids(self, names: Iterable[str]) -> dict[str, UUID]:
        """Topic ids by name; topics that do not exist are left out."""
        return {name: topic["topic_id"] for name, topic in (await self._topics(names)).items()}

    async def find(self, wanted: Mapping[str, Collection[str]]) -> dict[str, FoundTopic]:
        """The existing topics by name; ``wanted`` lists the configs to read of each. To read some needs DescribeConfigs."""
        topics = await self._topics(wanted)
        configs = await self._configs({name: wanted[name] for name in topics if wanted[name]})
        return {
            name: FoundTopic(
                topic_id=topic["topic_id"],
                partitions=len(topic["partitions"]),
                replication_factor=min(len(partition["replicas"]) for partition in topic["partitions"]),
                configs=configs.get(name, {}),
            )
            for name, topic in topics.items()
        }

    async def create(self, topics: Iterable[NewTopic]) -> None:
        """Create the topics and wait until every broker knows a leader of each partition.

        A topic that another process created meanwhile is left as it is. Raises TopicMismatch when a partition has no
        leader after LEADERS_TIMEOUT_SECONDS.
        """
        wanted = {topic.name: topic for topic in topics}
        rows: list[Any] = [
            (topic.name, topic.partitions, topic.replication_factor, [], list(topic.configs.items()))
            for topic in wanted.values()
        ]
        request = CreateTopicsRequest(rows, timeout=REQUEST_TIMEOUT_MS // 2, validate_only=False)
        # Asked again, those that were created meanwhile exist, which is no error.
        for name, code, message in (await self._brokers.ask(request)).topic_errors:
            _refuse_creation(name, for_code(code), message)
        await self._wait_for_leaders(list(wanted))

    async def _wait_for_leaders(self, names: list[str]) -> None:
        try:
            async with asyncio.timeout(LEADERS_TIMEOUT_SECONDS):
                while not await self._led(names):  # noqa: ASYNC110  # brokers send no notification: poll
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            raise TopicMismatch(
                f"{', '.join(names)}: not every partition has a leader after {LEADERS_TIMEOUT_SECONDS:g} s. "
                "The topics were created; look at the brokers' logs, then run `fraudstream topics check`."
            ) from error

    async def _led(self, names: list[str]) -> bool:
        # Metadata reaches the brokers one after the other, and a worker may ask any of them. A broker that is down
        # catches up before it answers again, so only the reachable ones are checked.
        for node in await self._brokers.reachable():
            topics = await self._topics(names, node)
            leaders = [partition["leader"] for topic in topics.values() for partition in topic["partitions"]]
            if len(topics) < len(names) or min(leaders) < 0:
                return False
        return True

    async def _topics(self, names: Iterable[str], node: int | None = None) -> dict[str, dict[str, Any]]:
        return await self._brokers.again(partial(self._described, list(names), node))

    async def _described(self, names: list[str], node: int | None) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        response = await self._brokers.state(describe_topics(names), node)
        for topic in response.to_object()["topics"]:
            error = for_code(topic["error_code"])
            if error in {NoError, LeaderNotAvailableError}:
                found[topic["topic"]] = topic
            elif error is not UnknownTopicOrPartitionError:
                refuse_transient(topic["error_code"])
                _refuse_right(error, "Describe", topic["topic"])
                raise _refusal(f"Topic {topic['topic']} cannot be described", error)
        return found

    async def _configs(self, wanted: Mapping[str, Collection[str]]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        if not wanted:
            return found
        request = DescribeConfigsRequest([(TOPIC_RESOURCE, name, list(wanted[name])) for name in wanted])
        for code, message, _, name, entries in (await self._brokers.ask(request)).resources:
            if code:
                _refuse_right(for_code(code), "DescribeConfigs", name)
                raise _refusal(f"The configuration of topic {name} cannot be read", for_code(code), message)
            found[name] = {entry[0]: entry[1] for entry in entries}
        return found


@asynccontextmanager
async def connect(kafka: Cluster) -> AsyncIterator[KafkaAdmin]:
    """A KafkaAdmin on a connection of its own. Raises ConfigurationError when no broker answers within 10 seconds."""
    async with kafka_connection.connect(kafka) as brokers:
        yield KafkaAdmin(brokers)


async def topic_ids(kafka: Cluster, names: Iterable[str]) -> dict[str, UUID]:
    """Topic ids by name, read on a connection of its own; topics that do not exist are left out."""
    async with connect(kafka) as admin:
        return await admin.topic_ids(names)


def _refuse_creation(name: str, error: type[KafkaError], message: str | None) -> None:
    if error is InvalidReplicationFactorError:
        raise ConfigurationError(f"Topic {name}: {message} Lower FRAUDSTREAM_TOPICS_REPLICATION_FACTOR.")
    if error not in {NoError, TopicAlreadyExistsError}:
        _refuse_right(error, "Create", name)
        raise _refusal(f"Topic {name} cannot be created", error, message)


def _refuse_right(error: type[KafkaError], operation: Operation, topic: str) -> None:
    if refused := refused_right(error(), operation, topic):
        raise RightMissing(refused)


def _refusal(what: str, error: type[KafkaError], message: str | None = None) -> ConfigurationError:
    return ConfigurationError(f"{what}: {message or error.description or named(error)} ({named(error)}).")


def short_topic_id(topic_id: UUID) -> int:
    """The low 64 bits of a topic id, which are random: a profile has room for 64 bits."""
    return topic_id.int & (2**64 - 1)


def topic_id_text(topic_id: UUID) -> str:
    """The short id in hexadecimal digits, as commits and orders store it."""
    return f"{short_topic_id(topic_id):x}"
