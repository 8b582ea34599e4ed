"""Kafka's DescribeLogDirs request, version 4: usage of each broker's disks, by topic.

aiokafka does not implement it. Field names and order are those of
https://kafka.apache.org/protocol.html#The_Messages_DescribeLogDirs; brokers support it since Kafka 3.3.
"""

from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

DESCRIBE_LOG_DIRS = 35
ALL_TOPICS = None


class DescribeLogDirsResponse_v4(Response):  # type: ignore[misc]  # noqa: N801  # an untyped base; named as aiokafka names its own
    API_KEY = DESCRIBE_LOG_DIRS
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "results",
            CompactArray(
                ("error_code", Int16),
                ("log_dir", CompactString()),
                (
                    "topics",
                    CompactArray(
                        ("name", CompactString()),
                        (
                            "partitions",
                            CompactArray(
                                ("partition_index", Int32),
                                ("partition_size", Int64),
                                ("offset_lag", Int64),
                                ("is_future_key", Boolean),
                                ("tags", TaggedFields),
                            ),
                        ),
                        ("tags", TaggedFields),
                    ),
                ),
                ("total_bytes", Int64),
                ("usable_bytes", Int64),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeLogDirsRequest_v4(RequestStruct):  # type: ignore[misc]  # noqa: N801  # as above
    FLEXIBLE_VERSION = True
    API_KEY = DESCRIBE_LOG_DIRS
    API_VERSION = 4
    RESPONSE_TYPE = DescribeLogDirsResponse_v4
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic", CompactString()), ("partitions", CompactArray(Int32)), ("tags", TaggedFields)
            ),
        ),
        ("tags", TaggedFields),
    )


class LogDirsRequest(Request[DescribeLogDirsRequest_v4]):  # type: ignore[misc]  # an untyped base
    """Asks one broker for all its log directories."""

    API_KEY = DESCRIBE_LOG_DIRS

    def build(self, request_struct_class: type[DescribeLogDirsRequest_v4]) -> Any:
        return request_struct_class(ALL_TOPICS, {})
