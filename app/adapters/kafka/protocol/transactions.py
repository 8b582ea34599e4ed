"""Kafka's requests about open transactions, version 0 of each: DescribeProducers, ListTransactions, DescribeTransactions.

aiokafka implements none. Brokers support them since Kafka 3.0. Field names and order are those of
https://kafka.apache.org/protocol.html.
"""

from collections.abc import Iterable
from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

DESCRIBE_PRODUCERS, DESCRIBE_TRANSACTIONS, LIST_TRANSACTIONS = 61, 65, 66


class DescribeProducersResponse_v0(Response):  # type: ignore[misc]  # noqa: N801  # an untyped base; named as aiokafka names its own
    API_KEY = DESCRIBE_PRODUCERS
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("name", CompactString()),
                (
                    "partitions",
                    CompactArray(
                        ("partition_index", Int32),
                        ("error_code", Int16),
                        ("error_message", CompactString()),
                        (
                            "active_producers",
                            CompactArray(
                                ("producer_id", Int64),
                                ("producer_epoch", Int32),
                                ("last_sequence", Int32),
                                ("last_timestamp", Int64),
                                ("coordinator_epoch", Int32),
                                ("current_txn_start_offset", Int64),
                                ("tags", TaggedFields),
                            ),
                        ),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeProducersRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801  # as above
    FLEXIBLE_VERSION = True
    API_KEY = DESCRIBE_PRODUCERS
    API_VERSION = 0
    RESPONSE_TYPE = DescribeProducersResponse_v0
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("name", CompactString()),
                ("partition_indexes", CompactArray(Int32)),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class ListTransactionsResponse_v0(Response):  # type: ignore[misc]  # noqa: N801  # as above
    API_KEY = LIST_TRANSACTIONS
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("unknown_state_filters", CompactArray(CompactString())),
        (
            "transaction_states",
            CompactArray(
                ("transactional_id", CompactString()),
                ("producer_id", Int64),
                ("transaction_state", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class ListTransactionsRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801  # as above
    FLEXIBLE_VERSION = True
    API_KEY = LIST_TRANSACTIONS
    API_VERSION = 0
    RESPONSE_TYPE = ListTransactionsResponse_v0
    SCHEMA = Schema(
        ("state_filters", CompactArray(CompactString())),
        ("producer_id_filters", CompactArray(Int64)),
        ("tags", TaggedFields),
    )


class DescribeTransactionsResponse_v0(Response):  # type: ignore[misc]  # noqa: N801  # as above
    API_KEY = DESCRIBE_TRANSACTIONS
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "transaction_states",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", CompactString()),
                ("transaction_state", CompactString()),
                ("transaction_timeout_ms", Int32),
                ("transaction_start_time_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                (
                    "topics",
                    CompactArray(
                        ("topic", CompactString()),
                        ("partitions", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeTransactionsRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801  # as above
    FLEXIBLE_VERSION = True
    API_KEY = DESCRIBE_TRANSACTIONS
    API_VERSION = 0
    RESPONSE_TYPE = DescribeTransactionsResponse_v0
    SCHEMA = Schema(("transactional_ids", CompactArray(CompactString())), ("tags", TaggedFields))


class ProducersRequest(Request[DescribeProducersRequest_v0]):  # type: ignore[misc]  # an untyped base
    """Asks the leader of a partition for the producers that write to it."""

    API_KEY = DESCRIBE_PRODUCERS

    def __init__(self, topic: str, partition: int) -> None:
        self._partition = topic, partition

    def build(self, request_struct_class: type[DescribeProducersRequest_v0]) -> Any:
        topic, partition = self._partition
        return request_struct_class([(topic, [partition], {})], {})


class TransactionsOfProducerRequest(Request[ListTransactionsRequest_v0]):  # type: ignore[misc]  # an untyped base
    """Asks a coordinator for the transactional ids of a producer id; the others of the cluster know other ids."""

    API_KEY = LIST_TRANSACTIONS

    def __init__(self, producer_id: int) -> None:
        self._producer_id = producer_id

    def build(self, request_struct_class: type[ListTransactionsRequest_v0]) -> Any:
        return request_struct_class([], [self._producer_id], {})


class DescribeTransactionsRequest(Request[DescribeTransactionsRequest_v0]):  # type: ignore[misc]  # an untyped base
    """Asks a coordinator for the transactions of transactional ids."""

    API_KEY = DESCRIBE_TRANSACTIONS

    def __init__(self, transactional_ids: Iterable[str]) -> None:
        self._transactional_ids = list(transactional_ids)

    def build(self, request_struct_class: type[DescribeTransactionsRequest_v0]) -> Any:
        return request_struct_class(self._transactional_ids, {})
