"""How much a worker keeps on its disk, told now and then: it changes slowly and is bounded by no setting."""

import asyncio

from app.metrics import Metrics
from app.streaming.state.tables import StateStore

INTERVAL_SECONDS = 5.0


async def report_store_size(
    store: StateStore, metrics: Metrics, interval_seconds: float = INTERVAL_SECONDS
) -> None:
    """Tell until cancelled."""
    while True:
        size = store.size()
        metrics.gauge("stored_profiles", size.profiles)
        metrics.gauge("store_bytes", size.stored_bytes)
        await asyncio.sleep(interval_seconds)
