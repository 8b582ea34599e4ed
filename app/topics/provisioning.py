"""Whether the topics are what the table says, and the making of those that are missing.

The table is the least that a topic must hold: more copies, a longer retention or a longer compaction lag are
the operator's choice and no difference. All else must be equal.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from app.adapters.kafka.admin import FoundTopic, KafkaAdmin, NewTopic, connect
from app.errors import ConfigurationError, TopicMismatch
from app.settings import Settings
from app.topics.topic_specs import TopicSpec, topic_table

EXISTENCE = "topic"
PARTITIONS = "partitions"
REPLICATION_FACTOR = "replication.factor"
AT_LEAST = {REPLICATION_FACTOR, "min.insync.replicas", "retention.ms", "min.compaction.lag.ms"}
UNLIMITED = "-1"


class Difference(msgspec.Struct, frozen=True):
    """One property of one topic that is not as the table wants it."""

    topic: str
    property: str
    expected: str
    found: str

    def __str__(self) -> str:
        bound = "at least " if self.property in AT_LEAST else ""
        return f"{self.topic}: {self.property}: expected {bound}{self.expected}, found {self.found}"


def compare(spec: TopicSpec, found: FoundTopic | None) -> list[Difference]:
    """How ``found`` differs from ``spec``; one difference when it is missing."""
    if found is None:
        return [Difference(spec.name, EXISTENCE, "present", "missing")]
    wanted = {
        PARTITIONS: str(spec.partitions),
        REPLICATION_FACTOR: str(spec.replication_factor),
        **spec.configs(),
    }
    actual = {
        PARTITIONS: str(found.partitions),
        REPLICATION_FACTOR: str(found.replication_factor),
        **found.configs,
    }
    return [
        Difference(spec.name, name, value, actual.get(name, "nothing"))
        for name, value in wanted.items()
        if not _suits(name, value, actual.get(name))
    ]


async def differences(settings: Settings) -> list[Difference]:
    """Every difference between the table and the brokers' topics."""
    async with connect(settings.kafka) as admin:
        return await _differences(admin, topic_table(settings))


async def check(settings: Settings) -> list[str]:
    """One line per difference: topic, property, expected, found. Empty when all is well."""
    return [str(difference) for difference in await differences(settings)]


async def require(settings: Settings) -> None:
    """Return when every topic is as it must be; otherwise raise TopicMismatch with all the differences."""
    _refuse(await differences(settings), settings)


async def ensure(settings: Settings) -> list[str]:
    """Make the topics that are missing; the names of those made.

    An existing topic is never altered. If one differs, TopicMismatch is raised and nothing is made: the number
    of partitions must agree among the topics, and cannot be mended once a wrong one is in use.
    """
    table = topic_table(settings)
    async with connect(settings.kafka) as admin:
        found = await _differences(admin, table)
        _refuse([difference for difference in found if difference.property != EXISTENCE], settings)
        missing = {difference.topic for difference in found}
        await _create(admin, [spec for spec in table if spec.name in missing])
        _refuse(await _differences(admin, table), settings)
        return [spec.name for spec in table if spec.name in missing]


def remedies(found: Iterable[Difference], bootstrap_servers: str) -> list[str]:
    """What the operator can do about the differences: one line per topic and kind."""
    lines: list[str] = []
    for topic, group in groupby(found, key=lambda difference: difference.topic):
        wanted = {difference.property: difference.expected for difference in group}
        lines += [
            _KNOWN[name].format(topic=topic, expected=wanted.pop(name)) for name in _KNOWN if name in wanted
        ]
        if wanted:
            configs = ",".join(f"{name}={value}" for name, value in wanted.items())
            lines.append(
                f"kafka-configs.sh --bootstrap-server {bootstrap_servers} --alter --entity-type topics "
                f"--entity-name {topic} --add-config {configs}"
            )
    return lines


_KNOWN = {
    EXISTENCE: "{topic}: `fraudstream topics ensure` makes it",
    PARTITIONS: (
        "{topic}: set FRAUDSTREAM_TOPICS_PARTITIONS to what the topics have, or move to new topics with {expected} "
        "partitions; adding partitions parts customers from their profiles"
    ),
    REPLICATION_FACTOR: (
        "{topic}: kafka-reassign-partitions.sh gives it {expected} copies; or lower "
        "FRAUDSTREAM_TOPICS_REPLICATION_FACTOR"
    ),
}


def _suits(name: str, expected: str, found: str | None) -> bool:
    if found is None:
        return False
    if name in AT_LEAST:
        return found == UNLIMITED or int(found) >= int(expected)
    return set(found.split(",")) == set(expected.split(","))


async def _differences(admin: KafkaAdmin, table: Sequence[TopicSpec]) -> list[Difference]:
    found = await admin.find({spec.name: spec.configs() for spec in table})
    return [difference for spec in table for difference in compare(spec, found.get(spec.name))]


async def _create(admin: KafkaAdmin, missing: Sequence[TopicSpec]) -> None:
    if not missing:
        return
    copies, brokers = missing[0].replication_factor, await admin.broker_count()
    if copies > brokers:
        raise ConfigurationError(
            f"FRAUDSTREAM_TOPICS_REPLICATION_FACTOR={copies}, but {brokers} broker(s) are up. Start more brokers, "
            "or lower it where losing a disk may lose data. Nothing was made."
        )
    await admin.create(
        NewTopic(
            name=spec.name,
            partitions=spec.partitions,
            replication_factor=spec.replication_factor,
            configs=spec.configs(),
        )
        for spec in missing
    )


def _refuse(found: Sequence[Difference], settings: Settings) -> None:
    if found:
        lines = [str(difference) for difference in found]
        lines += ["Remedy:", *remedies(found, settings.kafka.bootstrap_servers)]
        raise TopicMismatch("\n  ".join(["the topics are not as they must be:", *lines]))
