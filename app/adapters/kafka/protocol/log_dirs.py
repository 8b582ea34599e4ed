"""Kafka's DescribeLogDirs request, version 4: usage of each broker's disks, by topic. Brokers support it since Kafka 3.3."""

from typing import Any

from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Int64

from app.adapters.kafka.protocol.versioned import VersionedRequest, array, structure

ALL_TOPICS = None
_DESCRIBE_LOG_DIRS = VersionedRequest(
    "DescribeLogDirs",
    api_key=35,
    api_version=4,
    sent=structure(("topics", array(("topic", CompactString()), ("partitions", CompactArray(Int32))))),
    received=structure(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "results",
            array(
                ("error_code", Int16),
                ("log_dir", CompactString()),
                (
                    "topics",
                    array(
                        ("name", CompactString()),
                        (
                            "partitions",
                            array(
                                ("partition_index", Int32),
                                ("partition_size", Int64),
                                ("offset_lag", Int64),
                                ("is_future_key", Boolean),
                            ),
                        ),
                    ),
                ),
                ("total_bytes", Int64),
                ("usable_bytes", Int64),
            ),
        ),
    ),
)


def describe_log_dirs() -> Any:
    """Ask one broker for all its log directories."""
    return _DESCRIBE_LOG_DIRS(ALL_TOPICS)
