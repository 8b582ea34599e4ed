"""Kafka's InitProducerId request, version 4: a producer id, or the next epoch of one.

aiokafka's own request ends at version 0, which cannot name the epoch that it replaces. Field names and order are those of
https://kafka.apache.org/protocol.html#The_Messages_InitProducerId; brokers support it since Kafka 2.7.
"""

from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactString, Int16, Int32, Int64, Schema, TaggedFields

INIT_PRODUCER_ID = 22
NO_PRODUCER_ID, NO_EPOCH = -1, -1
_TRANSACTION_TIMEOUT_MS = 60_000
"""Required by the request; no transaction is ever begun."""


class InitProducerIdResponse_v4(Response):  # type: ignore[misc]  # noqa: N801  # an untyped base; named as aiokafka names its own
    API_KEY = INIT_PRODUCER_ID
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class InitProducerIdRequest_v4(RequestStruct):  # type: ignore[misc]  # noqa: N801  # as above
    FLEXIBLE_VERSION = True
    API_KEY = INIT_PRODUCER_ID
    API_VERSION = 4
    RESPONSE_TYPE = InitProducerIdResponse_v4
    SCHEMA = Schema(
        ("transactional_id", CompactString()),
        ("transaction_timeout_ms", Int32),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class InitProducerIdRequest(Request[InitProducerIdRequest_v4]):  # type: ignore[misc]  # an untyped base
    """Asks for an identity: a new one without ``transactional_id``, otherwise the next epoch of its producer id.

    With ``producer_id`` and ``epoch`` the broker refuses when they are not the current ones.
    """

    API_KEY = INIT_PRODUCER_ID

    def __init__(
        self, transactional_id: str | None, producer_id: int = NO_PRODUCER_ID, epoch: int = NO_EPOCH
    ) -> None:
        self._transactional_id = transactional_id
        self._producer = producer_id, epoch

    def build(self, request_struct_class: type[InitProducerIdRequest_v4]) -> Any:
        return request_struct_class(self._transactional_id, _TRANSACTION_TIMEOUT_MS, *self._producer, {})
