"""Reports the size of a worker's databases at intervals: it changes slowly and no setting limits it."""

import asyncio

from app.metrics import Metrics
from app.streaming.state.tables import StateStore

INTERVAL_SECONDS = 5.0


async def report_store_size(
    store: StateStore, metrics: Metrics, interval_seconds: float = INTERVAL_SECONDS
) -> None:
    """Report until cancelled."""
    while True:
        size = store.size()
        metrics.gauge("stored_profiles", size.states)
        metrics.gauge("store_bytes", size.stored_bytes)
        await asyncio.sleep(interval_seconds)
