"""Sends the demo's traffic: the history at full speed, then live events at fixed times."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from app.demo import traffic
from app.demo.plan import Plan
from app.demo.reconciliation import Reconciliation
from app.domain.transaction import Transaction
from app.traffic import labels
from app.traffic.pacing import Pace
from app.traffic.sending import RecordSender

HISTORY_SLICE = 500
POLL_SECONDS = 0.05
REPORT_MS = 7 * 86_400_000


class Senders(NamedTuple):
    """The senders of the two topics."""

    transactions: RecordSender
    labels: RecordSender


class Traffic:
    """Sends the traffic and records it in the reconciliation. ``stop`` ends it after the present event.

    The label of a fraud is sent when the simulated time has reached a week after its transaction.
    """

    def __init__(self, plan: Plan, senders: Senders, reconciliation: Reconciliation) -> None:
        self._plan = plan
        self._sender, self._labels = senders
        self._frauds: deque[Transaction] = deque()
        self._reconciliation = reconciliation
        self._today = datetime.now(UTC).date()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()

    async def run(self, on_phase: Callable[[str], None], on_history: Callable[[float], None]) -> None:
        """Send history and live traffic; return when everything is acknowledged. ``on_history`` gets the share that is sent."""
        await self._sender.run(lambda: self._labels.run(lambda: self._feed(on_phase, on_history)))

    async def _feed(self, on_phase: Callable[[str], None], on_history: Callable[[float], None]) -> None:
        on_phase("history")
        await self._send_history(on_history)
        # Wait for the backlog of the history: live events behind it would measure only the backlog.
        while self._reconciliation.undecided and not self._stopped.is_set():  # noqa: ASYNC110  # emptied a record at a time
            await asyncio.sleep(POLL_SECONDS)
        on_phase("live")
        await self._send_live()

    async def _send_history(self, on_history: Callable[[float], None]) -> None:
        begin_ms, end_ms = traffic.history_span(self._plan, self._today)
        for index, event in enumerate(traffic.history(self._plan, self._today)):
            self._put(event, _now_ms())
            if index % HISTORY_SLICE == 0:
                on_history((event.transaction.event_time - begin_ms) / (end_ms - begin_ms))
                await self._sender.wait_for_capacity()
                if self._stopped.is_set():
                    return
        on_history(1.0)

    async def _send_live(self) -> None:
        """Send live events. The timestamp of a record is its intended time, so a delay of this sender counts as latency."""
        plan, reconciliation = self._plan, self._reconciliation
        source = traffic.live(plan, self._today)
        first = next(source)  # computing it takes a moment and must not count as a delay
        pace = Pace(start_seconds=time.perf_counter(), rate=plan.rate)
        wall_offset = time.time() - time.perf_counter()
        limit = None if plan.seconds is None else round(plan.seconds * plan.rate)
        every, index = plan.malformed_every(), 0
        while not self._stopped.is_set() and index != limit:
            due = pace.due_seconds(index)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            due_ms = int((wall_offset + due) * 1000)
            reconciliation.latencies.sent(reconciliation.sent, due_ms)
            self._put(next(source) if index else first, due_ms)
            index += 1
            if index % every == 0 and reconciliation.malformed < plan.malformed:
                self._sender.put(*traffic.malformed(reconciliation.malformed), due_ms)
                reconciliation.malformed += 1

    def _put(self, event: traffic.Event, now_ms: int) -> None:
        transaction, is_fraud = traffic.renamed(
            event, self._reconciliation.transaction_id(self._reconciliation.sent)
        )
        self._report(transaction.event_time, now_ms)
        key, value = traffic.record(transaction)
        self._sender.put(key, value, now_ms)
        self._reconciliation.sent += 1
        if is_fraud:
            self._frauds.append(transaction)

    def _report(self, time_ms: int, now_ms: int) -> None:
        """Send the labels of the frauds that are reported up to ``time_ms``."""
        while self._frauds and self._frauds[0].event_time + REPORT_MS <= time_ms:
            fraud = self._frauds.popleft()
            key, value = labels.record(labels.label(fraud, fraud.event_time + REPORT_MS))
            self._labels.put(key, value, now_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
