"""Kafka's DescribeQuorum request, version 1: the node that is the controller, and its clock.

KRaft brokers name an arbitrary broker as "the controller" in their metadata, so only this request finds it. The leader reports its
own clock as the time at which it was last caught up. Brokers support it since Kafka 3.3.
"""

from typing import Any

from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64

from app.adapters.kafka.protocol.versioned import NO_TAGS, VersionedRequest, array, structure

METADATA_LOG = "__cluster_metadata"


def _replicas() -> CompactArray:
    return array(
        ("replica_id", Int32),
        ("log_end_offset", Int64),
        ("last_fetch_timestamp", Int64),
        ("last_caught_up_timestamp", Int64),
    )


DESCRIBE_QUORUM = VersionedRequest(
    "DescribeQuorum",
    api_key=55,
    api_version=1,
    sent=structure(
        ("topics", array(("topic_name", CompactString()), ("partitions", array(("partition_index", Int32)))))
    ),
    received=structure(
        ("error_code", Int16),
        (
            "topics",
            array(
                ("topic_name", CompactString()),
                (
                    "partitions",
                    array(
                        ("partition_index", Int32),
                        ("error_code", Int16),
                        ("leader_id", Int32),
                        ("leader_epoch", Int32),
                        ("high_watermark", Int64),
                        ("current_voters", _replicas()),
                        ("observers", _replicas()),
                    ),
                ),
            ),
        ),
    ),
)


def describe_quorum() -> Any:
    """Ask about the one partition that holds the cluster's metadata."""
    return DESCRIBE_QUORUM([(METADATA_LOG, [(0, NO_TAGS)], NO_TAGS)])
