"""Names the right that the brokers refuse, where an error of the Kafka client means one, and the remedy.

The client's error says neither what was to be done nor, in some cases, with which resource: the caller knows both.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import TopicPartition

from app.errors import RightMissing

Operation = Literal["Read", "Write", "Describe", "DescribeConfigs", "Create"]
"""Of a topic. What is refused of other resources follows from it."""

_RESOURCES: Mapping[type[Exception], str] = {
    TopicAuthorizationFailedError: "topic",
    GroupAuthorizationFailedError: "group",
    TransactionalIdAuthorizationFailed: "transactional id",
    ClusterAuthorizationFailedError: "cluster",
}
REMEDY = "Grant it to this user: `fraudstream acl print` lists what each role needs."


def refused_right(error: BaseException, operation: Operation, name: str = "") -> str:
    """The right that the brokers refused and the remedy, as sentences; empty where the error means something else.

    ``operation`` is what was to be done; ``name`` is used where the error names no resource.
    """
    kind = _kind(error)
    if kind is None:
        return ""
    resource, name = _RESOURCES[kind], _name(error) or name
    if kind is ClusterAuthorizationFailedError and operation == "Write":
        resource = "topic"  # who may write to a topic gets a producer id
    elif kind is ClusterAuthorizationFailedError:
        name = ""  # a request about a topic, for example, may need a right to the cluster
    return (
        f"the brokers refuse {operation} on the {resource}{name and f' {name}'} ({kind.__name__}). {REMEDY}"
    )


@contextmanager
def named_rights(operation: Operation, name: str = "") -> Iterator[None]:
    """Raise RightMissing where an error of the block means one. See ``refused_right``."""
    try:
        yield
    except KafkaError as error:
        if refused := refused_right(error, operation, name):
            raise RightMissing(refused) from error
        raise


def _kind(error: BaseException) -> type[Exception] | None:
    """Also of an error that aiokafka shows in the text of a general one."""
    for kind in _RESOURCES:
        if isinstance(error, kind) or (isinstance(error, KafkaError) and kind.__name__ in str(error)):
            return kind
    return None


def _name(error: BaseException) -> str:
    """A name, a set of names, or a partition, as aiokafka gives them."""
    if type(error) not in _RESOURCES or not error.args:
        return ""
    (given, *_) = error.args
    if isinstance(given, TopicPartition):
        return str(given.topic)
    return ", ".join(sorted(map(str, given))) if isinstance(given, set | list) else str(given)
