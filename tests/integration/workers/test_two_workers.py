"""Two workers share the partitions of a public data set and one of them is restarted in the middle.

Features and scores of the decisions equal those of the batch commands for the same file, bit for bit.
"""

import pytest

from tests.consistency.full_stream import HANDBOOK, stream_equals_batch
from tests.support.deployment import Deployment

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not HANDBOOK.exists(), reason=f"{HANDBOOK} is not there"),
]

ROWS = 40_000


async def test_two_workers_with_a_restart_decide_exactly_as_the_batch(deployment: Deployment) -> None:
    figures = await stream_equals_batch(deployment, ROWS, rate=4_000)

    assert figures["transactions"] == ROWS
