"""The demo's traffic onto the topic: the history at full speed, then live events at fixed times."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from app.demo import traffic
from app.demo.plan import Plan
from app.demo.tally import Tally
from app.domain.transaction import Transaction
from app.traffic.pacing import Pace
from app.traffic.sending import RecordSender

HISTORY_SLICE = 500
POLL_SECONDS = 0.05


class Traffic:
    """Sends, and tells the tally of everything it sends. ``stop`` ends it after the event at hand."""

    def __init__(self, plan: Plan, sender: RecordSender, tally: Tally) -> None:
        self._plan = plan
        self._sender = sender
        self._tally = tally
        self._today = datetime.now(UTC).date()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()

    async def run(self, on_phase: Callable[[str], None]) -> None:
        """Return when all that was sent is acknowledged."""
        await self._sender.run(lambda: self._feed(on_phase))

    async def _feed(self, on_phase: Callable[[str], None]) -> None:
        on_phase("history")
        await self._send_history()
        # Live events behind a backlog would only measure the backlog.
        while self._tally.undecided and not self._stopped.is_set():  # noqa: ASYNC110  # emptied a record at a time
            await asyncio.sleep(POLL_SECONDS)
        on_phase("live")
        await self._send_live()

    async def _send_history(self) -> None:
        for index, transaction in enumerate(traffic.history(self._plan, self._today)):
            self._put(transaction, _now_ms())
            if index % HISTORY_SLICE == 0:
                await self._sender.room()
                if self._stopped.is_set():
                    return

    async def _send_live(self) -> None:
        """A record's timestamp is its intended time: a delay of this sender counts as delay."""
        plan, tally = self._plan, self._tally
        source = traffic.live(plan, self._today)
        first = next(source)  # finding it takes a moment, which is not lateness
        pace = Pace(start_seconds=time.perf_counter(), rate=plan.rate)
        wall_offset = time.time() - time.perf_counter()
        limit = None if plan.seconds is None else round(plan.seconds * plan.rate)
        every, index = plan.malformed_every(), 0
        while not self._stopped.is_set() and index != limit:
            due = pace.due_seconds(index)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            due_ms = int((wall_offset + due) * 1000)
            tally.latencies.sent(tally.sent, due_ms)
            self._put(next(source) if index else first, due_ms)
            index += 1
            if index % every == 0 and tally.malformed < plan.malformed:
                self._sender.put(*traffic.malformed(tally.malformed), due_ms)
                tally.malformed += 1

    def _put(self, transaction: Transaction, now_ms: int) -> None:
        key, value = traffic.record(transaction, self._tally.transaction_id(self._tally.sent))
        self._sender.put(key, value, now_ms)
        self._tally.sent += 1


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
