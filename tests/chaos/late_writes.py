"""Late writes: versions of a profile that a former owner appends to the changelog behind its successor's."""

import re
from collections.abc import Iterable
from typing import Any

from tests.profile_format import read_profile


def late_writes(records: Iterable[Any]) -> int:
    """Count the records of a changelog that follow a version of their key that has applied more."""
    most: dict[bytes, int] = {}
    late = 0
    for record in sorted(records, key=lambda record: (record.partition, record.offset)):
        if not record.value:
            continue
        applied = read_profile(record.value).applied
        late += applied < most.get(record.key, 0)
        most[record.key] = max(applied, most.get(record.key, 0))
    return late


def refused_batches(broker_log: str, changelog: str) -> int:
    """Count the batches that a broker refused to append to a changelog, because another producer has claimed the partition."""
    return len(
        re.findall(rf"InvalidProducerEpochException: .* in {re.escape(changelog)}-\d+ is ", broker_log)
    )
