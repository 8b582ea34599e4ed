"""Who needs which rights to Kafka: one entry for each role, from which ``acls`` makes the ACLs.

A role is a program and its credentials: a worker, a command, or a system of the bank. docs/operate/security.md states how
each ends when the broker refuses a right.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from app.adapters.kafka.protocol.rights import Operation
from app.settings import Settings, Stream
from app.topics.topic_specs import activities_changelog, contacts_changelog, profiles_changelog, topic_table

Resource = Literal["topic", "group", "transactional-id", "cluster"]

ANY = "*"
CLUSTER = "kafka-cluster"
"""Kafka's only name for a cluster."""


class Right(NamedTuple):
    """One operation on one resource. Kafka grants Describe together with Read and with Write."""

    resource: Resource
    name: str
    operation: Operation
    pattern: Literal["literal", "prefixed"] = "literal"


class Role(NamedTuple):
    """What one set of credentials is for, and what it needs."""

    purpose: str
    reads: tuple[Stream, ...] = ()
    writes: tuple[Stream, ...] = ()
    group: Callable[[Settings], str] | None = None
    """The consumer group."""
    changelog: Callable[[Settings], str] | None = None
    """It is read and written; transactional ids with its name claim its partitions."""
    checks_topics: bool = False
    """It compares every topic with the table."""
    others: Callable[[Settings], tuple[Right, ...]] = lambda _: ()
    """Rights that follow from nothing above."""


def rights(role: Role, settings: Settings) -> tuple[Right, ...]:
    """The rights of a role under these settings, each once, in a fixed order."""
    return tuple(sorted(dict.fromkeys(_rights(role, settings))))


def _rights(role: Role, settings: Settings) -> Iterator[Right]:
    names = settings.topics
    yield from (Right("topic", names.name_of(stream), "Read") for stream in role.reads)
    yield from (Right("topic", names.name_of(stream), "Write") for stream in role.writes)
    if role.checks_topics:
        for spec in topic_table(settings):
            yield Right("topic", spec.name, "Describe")
            yield Right("topic", spec.name, "DescribeConfigs")
    if role.group is not None:
        yield Right("group", role.group(settings), "Read")
    if role.changelog is not None:
        changelog = role.changelog(settings)
        yield Right("topic", changelog, "Read")
        yield Right("topic", changelog, "Write")
        yield Right("transactional-id", f"{changelog}-", "Write", "prefixed")
    yield from role.others(settings)


def _reference_topics(settings: Settings) -> tuple[Right, ...]:
    topics = (settings.cdc.customers_topic, settings.cdc.terminals_topic)
    return tuple(Right("topic", topic, "Read") for topic in topics)


def _whole_cluster(settings: Settings) -> tuple[Right, ...]:
    groups = (Right("group", group, "Describe") for group in settings.groups())
    describing = (Right("cluster", CLUSTER, "Describe"), Right("transactional-id", ANY, "Describe"))
    return (*_reference_topics(settings), *describing, *groups)


def _creating(settings: Settings) -> tuple[Right, ...]:
    return tuple(Right("topic", spec.name, "Create") for spec in topic_table(settings))


_S = Stream
_CONSUMED = (_S.TRANSACTIONS, _S.DECISIONS, _S.ALERTS, _S.LABELS, _S.ENTITY_ACTIVITY, _S.ANSWERS)

ROLES: Mapping[str, Role] = {
    "risk": Role(
        "a worker that scores transactions",
        reads=(_S.TRANSACTIONS, _S.CONTROL, _S.WORKER_REPORTS, _S.LISTS),
        writes=(_S.DECISIONS, _S.ALERTS, _S.DEAD_LETTERS, _S.ENTITY_ACTIVITY, _S.WORKER_REPORTS),
        group=lambda settings: settings.worker.app_id,
        changelog=profiles_changelog,
        checks_topics=True,
    ),
    "entities": Role(
        "a worker that keeps the state of terminals and other entities",
        reads=(_S.ENTITY_ACTIVITY, _S.LABELS, _S.CONTROL),
        writes=(_S.ENTITY_ACTIVITY, _S.DEAD_LETTERS),
        group=lambda settings: settings.entities.app_id,
        changelog=activities_changelog,
        checks_topics=True,
    ),
    "analytics": Role(
        "a worker that writes decisions and labels to files",
        reads=(_S.DECISIONS, _S.LABELS, _S.CONTROL),
        group=lambda settings: settings.analytics.app_id,
        checks_topics=True,
    ),
    "crm": Role(
        "a worker that asks customers about alerts",
        reads=(_S.ALERTS, _S.ANSWERS, _S.CONTROL),
        writes=(_S.NOTIFICATIONS, _S.LABELS, _S.DEAD_LETTERS),
        group=lambda settings: settings.crm.app_id,
        changelog=contacts_changelog,
        checks_topics=True,
    ),
    "cases": Role(
        "a worker that keeps cases of alerts in Postgres",
        reads=(_S.ALERTS, _S.LABELS, _S.ANSWERS, _S.CONTROL),
        writes=(_S.CASES, _S.DEAD_LETTERS),
        group=lambda settings: settings.cases.app_id,
        checks_topics=True,
    ),
    "cases-rebuild": Role("fraudstream cases rebuild", reads=(_S.CASES, _S.ALERTS, _S.LABELS, _S.ANSWERS)),
    "reference": Role(
        "fraudstream cdc reference",
        reads=(_S.CONTROL,),
        group=lambda settings: settings.cdc.reference_group,
        others=_reference_topics,
    ),
    "monitor": Role(
        "fraudstream monitor and fraudstream doctor; the lag in seconds is the age of a record, which is read",
        reads=_CONSUMED,
        checks_topics=True,
        others=_whole_cluster,
    ),
    "operator": Role(
        "fraudstream model promote, rollback, release, challenge, canary and status",
        reads=(_S.CONTROL, _S.WORKER_REPORTS),
        writes=(_S.CONTROL,),
    ),
    "lists": Role(
        "fraudstream lists: entries of lists of rules are added, removed and read",
        reads=(_S.LISTS,),
        writes=(_S.LISTS,),
    ),
    "dead-letters": Role(
        "fraudstream dlq: dead letters are sent again to their source, unreadable records are left out",
        reads=(*_CONSUMED, _S.DEAD_LETTERS, _S.CONTROL),
        writes=(
            _S.TRANSACTIONS,
            _S.ALERTS,
            _S.LABELS,
            _S.ENTITY_ACTIVITY,
            _S.ANSWERS,
            _S.DEAD_LETTERS,
            _S.CONTROL,
        ),
    ),
    "topics": Role("fraudstream topics ensure and check", checks_topics=True, others=_creating),
    "transactions": Role("the system that sends transactions", writes=(_S.TRANSACTIONS,)),
    "labels": Role("the system that reports fraud", writes=(_S.LABELS,)),
}
