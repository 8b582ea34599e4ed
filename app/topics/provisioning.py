"""The check of the topics on a cluster against the table, and the creation of missing ones.

Replicas, retention and compaction lag may be larger than in the table, and the bound of timestamps smaller, by the operator's
choice. All other properties must be equal.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from app.adapters.kafka.admin import FoundTopic, KafkaAdmin, NewTopic, connect
from app.domain.words import duration
from app.errors import ConfigurationError, TopicMismatch
from app.settings import Settings
from app.topics.topic_specs import TopicSpec, topic_table

EXISTENCE = "topic"
PARTITIONS = "partitions"
REPLICATION_FACTOR = "replication.factor"
AT_LEAST = {
    REPLICATION_FACTOR,
    "min.insync.replicas",
    "retention.ms",
    "retention.bytes",
    "min.compaction.lag.ms",
}
AT_MOST = {"message.timestamp.after.max.ms"}
UNLIMITED = "-1"


class Difference(msgspec.Struct, frozen=True):
    """One property of a topic that differs from the table."""

    topic: str
    property: str
    expected: str
    found: str

    def __str__(self) -> str:
        bound = "at least " if self.property in AT_LEAST else "at most " if self.property in AT_MOST else ""
        return (
            f"{self.topic}: {self.property}: expected {bound}{in_words(self.property, self.expected)}, "
            f"found {in_words(self.property, self.found)}"
        )


def in_words(name: str, value: str) -> str:
    """The value of a topic's configuration, a time in milliseconds also in words.

    >>> in_words("retention.ms", "3024000000"), in_words("retention.ms", "-1"), in_words("partitions", "12")
    ('3024000000 (35 d)', '-1', '12')
    """
    if name.endswith(".ms") and value.isdecimal() and int(value) >= 1000:
        return f"{value} ({duration(int(value) / 1000)})"
    return value


def compare(spec: TopicSpec, found: FoundTopic | None) -> list[Difference]:
    """The differences of a topic from its spec; one difference if it is missing."""
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
    """All differences between the topics on the brokers and the table."""
    async with connect(settings.kafka) as admin:
        return await _differences(admin, topic_table(settings))


async def check(settings: Settings) -> list[str]:
    """One line per difference: topic, property, expected, found."""
    return [str(difference) for difference in await differences(settings)]


async def require(settings: Settings) -> None:
    """Raise TopicMismatch, with all differences and remedies, unless all topics match the table."""
    _refuse(await differences(settings), settings)


async def ensure(settings: Settings) -> list[str]:
    """Create the missing topics and return their names.

    An existing topic is never altered. If one differs, TopicMismatch is raised and no topic is created: all topics must
    have the same number of partitions, and it cannot be corrected once records are written.
    """
    table = topic_table(settings)
    async with connect(settings.kafka) as admin:
        found = await _differences(admin, table)
        _refuse([difference for difference in found if difference.property != EXISTENCE], settings)
        missing = {difference.topic for difference in found}
        await _create(admin, [spec for spec in table if spec.name in missing])
        _refuse(await _differences(admin, table), settings)
        return [spec.name for spec in table if spec.name in missing]


def described(found: Sequence[Difference]) -> list[str]:
    """The differences as lines: one for all missing topics, and one for each other difference."""
    missing = _missing(found)
    lines = [f"missing: {', '.join(missing)}"] if missing else []
    return lines + [str(difference) for difference in found if difference.property != EXISTENCE]


def _missing(found: Iterable[Difference]) -> list[str]:
    return [difference.topic for difference in found if difference.property == EXISTENCE]


def remedies(found: Iterable[Difference], bootstrap_servers: str) -> list[str]:
    """The remedies for the differences: one line per topic and kind, and one for all missing topics."""
    found = list(found)
    lines = [_CREATE] if _missing(found) else []
    for topic, group in groupby(found, key=lambda difference: difference.topic):
        wanted = {difference.property: difference.expected for difference in group}
        lines += [
            _REMEDIES[name].format(topic=topic, expected=wanted.pop(name))
            for name in _REMEDIES
            if name in wanted
        ]
        wanted.pop(EXISTENCE, None)
        if wanted:
            configs = ",".join(f"{name}={value}" for name, value in wanted.items())
            lines.append(
                f"kafka-configs.sh --bootstrap-server {bootstrap_servers} --alter --entity-type topics "
                f"--entity-name {topic} --add-config {configs}"
            )
    return lines


_CREATE = "`fraudstream topics ensure` creates what is missing"
_REMEDIES = {
    PARTITIONS: (
        "{topic}: set FRAUDSTREAM_TOPICS_PARTITIONS to the number of the existing topics, or move to new topics with "
        "{expected} partitions; do not add partitions: customers would be separated from their profiles"
    ),
    REPLICATION_FACTOR: (
        "{topic}: give it {expected} replicas with kafka-reassign-partitions.sh, or lower "
        "FRAUDSTREAM_TOPICS_REPLICATION_FACTOR"
    ),
}


def _suits(name: str, expected: str, found: str | None) -> bool:
    if found is None:
        return False
    if name in AT_LEAST:
        return found == UNLIMITED or (expected != UNLIMITED and int(found) >= int(expected))
    if name in AT_MOST:
        return int(found) <= int(expected)
    return set(found.split(",")) == set(expected.split(","))


async def _differences(admin: KafkaAdmin, table: Sequence[TopicSpec]) -> list[Difference]:
    found = await admin.find({spec.name: spec.configs() for spec in table})
    return [difference for spec in table for difference in compare(spec, found.get(spec.name))]


async def _create(admin: KafkaAdmin, missing: Sequence[TopicSpec]) -> None:
    if not missing:
        return
    replicas, brokers = missing[0].replication_factor, await admin.broker_count()
    if replicas > brokers:
        raise ConfigurationError(
            f"FRAUDSTREAM_TOPICS_REPLICATION_FACTOR={replicas}, but {brokers} broker(s) are up. Start more brokers, "
            "or lower it if the loss of a disk may lose data. No topic was created."
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
        servers = settings.kafka.bootstrap_servers
        lines = [*described(found), *(f"-> {remedy}" for remedy in remedies(found, servers))]
        raise TopicMismatch("\n  ".join([f"the topics on {servers} differ from the table:", *lines]))
