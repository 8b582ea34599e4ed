"""Compares this machine's clock with the brokers' before a worker of any role reads or writes anything."""

import time

from app.adapters.kafka.cluster import read_controller
from app.adapters.kafka.connection import connect
from app.adapters.kafka.security import Cluster
from app.streaming.monitoring.clock_watch import ClockWatch


async def check_clock(kafka: Cluster, watch: ClockWatch) -> None:
    """Raise ClockWrong when the clocks differ by more than the limit. Later the watch sees jumps of this one.

    Checks nothing where this user may not describe the cluster: then the acknowledgement of the first write shows the
    difference.
    """
    async with connect(kafka) as brokers:
        sent_at = time.time()
        controller = await read_controller(brokers)
        if controller is not None:
            watch.observe(sent_at, controller.clock_ms)
