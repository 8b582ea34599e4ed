"""Kafka's DescribeQuorum request, version 1: the node that is the controller, and its clock.

KRaft brokers name an arbitrary broker as "the controller" in their metadata, so only this request finds it; aiokafka
does not implement it. The leader reports its own clock as the time at which it was last caught up. Brokers support it
since Kafka 3.3. Field names and order are those of https://kafka.apache.org/protocol.html#The_Messages_DescribeQuorum.
"""

from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

DESCRIBE_QUORUM = 55
METADATA_LOG = "__cluster_metadata"


def _replicas() -> CompactArray:
    return CompactArray(
        ("replica_id", Int32),
        ("log_end_offset", Int64),
        ("last_fetch_timestamp", Int64),
        ("last_caught_up_timestamp", Int64),
        ("tags", TaggedFields),
    )


class DescribeQuorumResponse_v1(Response):  # type: ignore[misc]  # noqa: N801  # an untyped base; named as aiokafka names its own
    API_KEY = DESCRIBE_QUORUM
    API_VERSION = 1
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "topics",
            CompactArray(
                ("topic_name", CompactString()),
                (
                    "partitions",
                    CompactArray(
                        ("partition_index", Int32),
                        ("error_code", Int16),
                        ("leader_id", Int32),
                        ("leader_epoch", Int32),
                        ("high_watermark", Int64),
                        ("current_voters", _replicas()),
                        ("observers", _replicas()),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeQuorumRequest_v1(RequestStruct):  # type: ignore[misc]  # noqa: N801  # as above
    FLEXIBLE_VERSION = True
    API_KEY = DESCRIBE_QUORUM
    API_VERSION = 1
    RESPONSE_TYPE = DescribeQuorumResponse_v1
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_name", CompactString()),
                ("partitions", CompactArray(("partition_index", Int32), ("tags", TaggedFields))),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class QuorumRequest(Request[DescribeQuorumRequest_v1]):  # type: ignore[misc]  # an untyped base
    """Asks about the one partition that holds the cluster's metadata."""

    API_KEY = DESCRIBE_QUORUM

    def build(self, request_struct_class: type[DescribeQuorumRequest_v1]) -> Any:
        return request_struct_class([(METADATA_LOG, [(0, {})], {})], {})
