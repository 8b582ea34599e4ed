"""The scenario: two workers, of which one is killed every ten minutes and restarted at once, as by a supervisor."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tests.chaos.run import Run
from tests.chaos.soak.growth import WARM_UP_SHARE
from tests.chaos.soak.sampling import Sample, sample
from tests.chaos.traffic import DAY_MS, Sent, transactions

WORKERS = 2
KEPT_MS = 31 * DAY_MS
"""An event this much older than its customer's newest is evicted."""
FILL_SECONDS, FILL_SHARE = 600.0, 1 / 6
"""Profiles are full after ten minutes or a sixth of the run: then each transaction lets an old one expire."""
SETTINGS = {
    "FRAUDSTREAM_WORKER_ROCKSDB_WRITE_BUFFERS_BYTES": str(8 * 1024 * 1024),
    "FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS": "30",
    "FRAUDSTREAM_KAFKA_PRODUCE_TIMEOUT_SECONDS": "25",
}
"""Write buffers that are full within a minute, so that their filling is not taken for growth. A session that other programs of the
machine do not exceed: a worker that ends itself for that (`Paused`) has no long life to measure."""
WARM_UP_KILL_SECONDS = 100.0
"""Seconds between two kills while nothing is judged. The survivor's resident memory grew by 15 MiB in its first seven takeovers and
by nothing in the next six."""


class Plan(NamedTuple):
    """How long, how often, how much."""

    seconds: float
    kill_seconds: float
    sample_seconds: float
    rate: int
    customers: int

    @property
    def transactions_per_worker_hour(self) -> float:
        return self.rate * 3600 / WORKERS

    @property
    def kills_per_hour(self) -> float:
        return 3600 / self.kill_seconds

    @property
    def kills_at_seconds(self) -> list[float]:
        """When worker 1 is killed: often in the warm-up, since the survivor's heap grows with its first takeovers."""
        judged = self.seconds * WARM_UP_SHARE
        early = np.arange(WARM_UP_KILL_SECONDS, judged, WARM_UP_KILL_SECONDS)
        late = np.arange(self.kill_seconds, self.seconds, self.kill_seconds)
        return [*early.tolist(), *late[late >= judged].tolist()]

    @property
    def span_ms(self) -> int:
        """Event time that passes in the run."""
        return round(KEPT_MS * self.seconds / min(FILL_SECONDS, self.seconds * FILL_SHARE))

    def traffic(self, seed: int, now_ms: int) -> Iterator[Sent]:
        """Transactions of a fixed population whose event time passes fast enough that their profiles are soon full."""
        count, span_ms = round(self.rate * self.seconds), self.span_ms
        return transactions(count, seed, self.customers, start_ms=now_ms - span_ms, span_ms=span_ms)


async def soak(run: Run, plan: Plan, found: list[Sample]) -> None:
    """Play the plan. The survivor shows what each takeover leaves behind, the successors what a kill leaves on the disk."""
    workers = await run.start_workers(WORKERS, **SETTINGS)
    killed, _ = workers
    looking = asyncio.create_task(sample(workers, run.directory / "cluster", plan.sample_seconds, found))
    begun = time.monotonic()
    try:
        async with run.sending(plan.traffic(run.seed, time.time_ns() // 1_000_000), plan.rate):
            for at_seconds in plan.kills_at_seconds:
                await asyncio.sleep(begun + at_seconds - time.monotonic())
                run.kill(killed)
                await run.restart(killed)
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
