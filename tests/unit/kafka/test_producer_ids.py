"""Producer ids are asked for again while a coordinator is being elected, and errors are named."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    CoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorError,
    ProducerFenced,
    TransactionalIdAuthorizationFailed,
)

from app.adapters.kafka.producer_identity import ProducerIdentity
from app.adapters.kafka.producer_ids import ProducerIds
from app.errors import ConfigurationError

NOT_COORDINATOR, CONCURRENT_TRANSACTIONS, CLUSTER_AUTHORIZATION_FAILED, PRODUCER_FENCED = 16, 51, 31, 90


class Response(NamedTuple):
    error_code: int = 0
    producer_id: int = 7
    producer_epoch: int = 3


class Client:
    """Answers from lists: brokers that can be asked, coordinators, responses."""

    def __init__(self, *responses: Response, nodes: Sequence[int | None] = ()) -> None:
        self.responses = list(responses)
        self.nodes = iter(nodes)
        self.coordinators: list[Callable[[], int]] = []
        self.updates = 0

    def get_random_node(self) -> int | None:
        return next(self.nodes, 1)

    async def coordinator_lookup(self, kind: int, name: str) -> int:  # noqa: ARG002  # the protocol's signature
        return self.coordinators.pop(0)() if self.coordinators else 2

    async def send(self, node: int, request: Any, group: int) -> Response:  # noqa: ARG002  # the protocol's signature
        return self.responses.pop(0)

    async def force_metadata_update(self) -> None:
        self.updates += 1


def ids(client: Client, give_up_seconds: float = 60.0) -> ProducerIds:
    return ProducerIds(cast(Any, client), give_up_seconds)


def failing(error: KafkaError) -> Callable[[], int]:
    def fail() -> int:
        raise error

    return fail


async def test_what_passes_is_asked_again() -> None:
    client = Client(Response(NOT_COORDINATOR), Response(CONCURRENT_TRANSACTIONS), Response(), nodes=[None])
    client.coordinators = [failing(CoordinatorNotAvailableError())]

    found = await ids(client).take_over("changelog-0")

    assert (found.producer_id, found.epoch) == (7, 3)
    assert client.updates == 4


async def test_what_does_not_pass_is_raised_at_once() -> None:
    client = Client(Response(CLUSTER_AUTHORIZATION_FAILED))

    with pytest.raises(ClusterAuthorizationFailedError):
        await ids(client).new()
    assert client.updates == 0


async def test_after_the_time_the_last_error_is_raised() -> None:
    with pytest.raises(NotCoordinatorError):
        await ids(Client(Response(NOT_COORDINATOR)), give_up_seconds=-1).take_over("changelog-0")


async def test_a_renewal_of_a_name_that_was_taken_over_is_fenced() -> None:
    with pytest.raises(ProducerFenced):
        await ids(Client(Response(PRODUCER_FENCED))).renew("changelog-0", ProducerIdentity(7, 2))


async def test_a_missing_right_names_the_transactional_id() -> None:
    client = Client()
    client.coordinators = [failing(TransactionalIdAuthorizationFailed())]

    with pytest.raises(ConfigurationError, match="refuse Write on the transactional id changelog-0"):
        await ids(client).require_right("changelog-0")
