"""zstd at level 1 for what aiokafka compresses; it has no setting for it and takes level 3.

Measured on a chunk's outputs: decisions take 56 % of the time and come out 8 % smaller, profiles 53 % of the time
and 7 % larger.
"""

import sys

from aiokafka.codec import zstd_encode
from aiokafka.record.default_records import DefaultRecordBatchBuilder

LEVEL = 1


def install() -> None:
    """From now on every batch of this process that is compressed with zstd is at LEVEL."""
    # Compiled or not, the builder's module looks the codec up by this name at each batch.
    builders = vars(sys.modules[DefaultRecordBatchBuilder.__module__])
    if "zstd_encode" not in builders:
        raise ImportError(
            "aiokafka keeps its zstd codec elsewhere now: adapt app/adapters/kafka/fast_zstd.py"
        )
    builders["zstd_encode"] = _encode


def _encode(payload: bytes) -> bytes:
    compressed: bytes = zstd_encode(payload, LEVEL)
    return compressed
