"""Finds what the brokers hide from a user without rights: lists leave it out, as if it did not exist."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, NamedTuple

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.admin import DescribeGroupsRequest

from app.adapters.kafka.cluster_state import MissingRight
from app.adapters.kafka.protocol.metadata import describe_topics
from app.adapters.kafka.protocol.quorum import describe_quorum

Ask = Callable[[Any], Awaitable[Any]]
"""Sends a request to a broker; returns the response with its error codes."""


class Expected(NamedTuple):
    """What a cluster should have."""

    topics: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


NOTHING = Expected()


async def hidden(ask: Ask, listed_topics: Collection[str], expected: Expected) -> list[MissingRight]:
    """The missing rights to the cluster, to topics that are not listed, and to groups."""
    found = []
    if (await ask(describe_quorum())).error_code == ClusterAuthorizationFailedError.errno:
        found.append(_describe("cluster", "", "the controller, the disks and the clock"))
    absent = [topic for topic in expected.topics if topic not in listed_topics]
    topics = (await ask(describe_topics(absent))).to_object()["topics"] if absent else ()
    found += [
        _describe("topic", topic["topic"], "its copies, and the lag of groups in it")
        for topic in topics
        if topic["error_code"] == TopicAuthorizationFailedError.errno
    ]
    for group in expected.groups:
        (described,) = (await ask(DescribeGroupsRequest([group]))).to_object()["groups"]
        if described["error_code"] == GroupAuthorizationFailedError.errno:
            found.append(_describe("group", group, "its members and its lag"))
    return found


def unread(topic: str) -> MissingRight:
    """The right that the ages of records need."""
    return MissingRight(
        operation="Read", resource="topic", name=topic, unknown="the lag of groups in seconds"
    )


def _describe(resource: str, name: str, unknown: str) -> MissingRight:
    return MissingRight(operation="Describe", resource=resource, name=name, unknown=unknown)
