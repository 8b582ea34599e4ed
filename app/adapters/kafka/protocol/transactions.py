"""Kafka's requests about open transactions, version 0 of each. Brokers support them since Kafka 3.0."""

from collections.abc import Iterable
from typing import Any

from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64

from app.adapters.kafka.protocol.versioned import NO_TAGS, VersionedRequest, array, structure

_DESCRIBE_PRODUCERS = VersionedRequest(
    "DescribeProducers",
    api_key=61,
    api_version=0,
    sent=structure(("topics", array(("name", CompactString()), ("partition_indexes", CompactArray(Int32))))),
    received=structure(
        ("throttle_time_ms", Int32),
        (
            "topics",
            array(
                ("name", CompactString()),
                (
                    "partitions",
                    array(
                        ("partition_index", Int32),
                        ("error_code", Int16),
                        ("error_message", CompactString()),
                        (
                            "active_producers",
                            array(
                                ("producer_id", Int64),
                                ("producer_epoch", Int32),
                                ("last_sequence", Int32),
                                ("last_timestamp", Int64),
                                ("coordinator_epoch", Int32),
                                ("current_txn_start_offset", Int64),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
)
_LIST_TRANSACTIONS = VersionedRequest(
    "ListTransactions",
    api_key=66,
    api_version=0,
    sent=structure(
        ("state_filters", CompactArray(CompactString())), ("producer_id_filters", CompactArray(Int64))
    ),
    received=structure(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("unknown_state_filters", CompactArray(CompactString())),
        (
            "transaction_states",
            array(
                ("transactional_id", CompactString()),
                ("producer_id", Int64),
                ("transaction_state", CompactString()),
            ),
        ),
    ),
)
_DESCRIBE_TRANSACTIONS = VersionedRequest(
    "DescribeTransactions",
    api_key=65,
    api_version=0,
    sent=structure(("transactional_ids", CompactArray(CompactString()))),
    received=structure(
        ("throttle_time_ms", Int32),
        (
            "transaction_states",
            array(
                ("error_code", Int16),
                ("transactional_id", CompactString()),
                ("transaction_state", CompactString()),
                ("transaction_timeout_ms", Int32),
                ("transaction_start_time_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                ("topics", array(("topic", CompactString()), ("partitions", CompactArray(Int32)))),
            ),
        ),
    ),
)


def describe_producers(topic: str, partition: int) -> Any:
    """Ask the leader of a partition for the producers that write to it."""
    return _DESCRIBE_PRODUCERS([(topic, [partition], NO_TAGS)])


def transactions_of_producer(producer_id: int) -> Any:
    """Ask a coordinator for the transactional ids of a producer id. Each coordinator of the cluster knows its own ids."""
    return _LIST_TRANSACTIONS([], [producer_id])


def describe_transactions(transactional_ids: Iterable[str]) -> Any:
    """Ask a coordinator for the transactions of transactional ids."""
    return _DESCRIBE_TRANSACTIONS(list(transactional_ids))
