"""The part of the demo that needs Kafka: workers, traffic, reading the results, and waiting until all is decided."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from secrets import token_hex

from app.adapters.kafka.tail_reader import TailReader, open_tail_reader
from app.adapters.serde.offline_decoder import readable
from app.demo import workers as processes
from app.demo.listening import listen
from app.demo.plan import Plan
from app.demo.reconciliation import Reconciliation
from app.demo.screen import Screen
from app.demo.sending import Senders, Traffic
from app.demo.snapshot import Snapshot
from app.demo.workers import Worker
from app.errors import StackError
from app.settings import Settings, values
from app.traffic.sending import open_sender

DRAIN_SECONDS = 60.0
HURRIED_DRAIN_SECONDS = 30.0
"""Bound after Ctrl-C: longer than the partitions of a killed worker stay unassigned. A second Ctrl-C does not wait."""
FIRST_DECISION_SECONDS = 90.0
POLL_SECONDS = 0.05


class Session:
    """One run on a stack that is up and whose topics exist."""

    def __init__(self, plan: Plan, settings: Settings, directory: Path, started_seconds: float) -> None:
        self.snapshot = Snapshot(Reconciliation(f"d{token_hex(4)}"), started_seconds)
        self._plan = plan
        self._settings = settings
        environment = {name: str(value) for name, value in values(settings).items()}
        self._workers = [
            Worker(f"worker-{number + 1}", directory, environment) for number in range(plan.workers)
        ]
        of_entities = {"FRAUDSTREAM_WORKER_ROLE": "entities"}
        self._workers.append(Worker("entities", directory, environment | of_entities))
        self._interrupted = False

    async def run(self, screen: Screen) -> bool:
        """Run until the plan ends; return True when Ctrl-C or SIGTERM ended it. Raises StackError when a worker fails."""
        try:
            for worker in self._workers:
                worker.start()
            self._hint()
            await self._run_traffic(screen)
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            processes.stop(self._workers)
        return self._interrupted

    async def _run_traffic(self, screen: Screen) -> None:
        kafka, topics = self._settings.kafka, self._settings.topics
        outputs = [topics.decisions, topics.alerts, topics.dead_letters]
        reconciliation, snapshot = self.snapshot.reconciliation, self.snapshot
        async with (
            open_tail_reader(kafka, outputs, from_beginning=True, values=readable(self._settings)) as reader,
            open_sender(topics.transactions, kafka) as sender,
            open_sender(topics.labels, kafka) as labels,
            asyncio.TaskGroup() as group,
        ):
            traffic = Traffic(self._plan, Senders(sender, labels), reconciliation)
            self._handle_signals(traffic)
            helpers = [
                group.create_task(listen(reader, topics, reconciliation, snapshot.alert)),
                group.create_task(processes.watch(self._workers, self._restarted)),
                group.create_task(self._draw(screen)),
                group.create_task(self._expect_a_decision()),
            ]
            await traffic.run(self._enter, self._history_sent)
            self._enter("draining")
            await self._drain(reader)
            screen.draw(snapshot)
            for helper in helpers:
                helper.cancel()

    async def _drain(self, reader: TailReader) -> None:
        """Wait until everything is decided, up to a bound; the balance then lists what is missing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HURRIED_DRAIN_SECONDS if self._interrupted else DRAIN_SECONDS):
                while not self.snapshot.reconciliation.settled:  # noqa: ASYNC110  # filled by the listener, a record at a time
                    await asyncio.sleep(POLL_SECONDS)
                await reader.caught_up()

    async def _draw(self, screen: Screen) -> None:
        while True:
            screen.draw(self.snapshot)
            await asyncio.sleep(screen.period_seconds)

    async def _expect_a_decision(self) -> None:
        await asyncio.sleep(FIRST_DECISION_SECONDS)
        if not self.snapshot.reconciliation.decided:
            ends = "\n".join(worker.log_end() for worker in self._workers)
            raise StackError(f"no decision came within {FIRST_DECISION_SECONDS:.0f} s. {ends}")

    def _handle_signals(self, traffic: Traffic) -> None:
        loop, running = asyncio.get_running_loop(), asyncio.current_task()

        def interrupt() -> None:
            if self._interrupted and running is not None:
                running.cancel()
            self._interrupted = True
            self.snapshot.notes.append("waiting for the last decisions; Ctrl-C again stops at once")
            traffic.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt)

    def _enter(self, phase: str) -> None:
        self.snapshot.phase = phase

    def _history_sent(self, share: float) -> None:
        self.snapshot.history.sent_share = share

    def _restarted(self, note: str) -> None:
        self.snapshot.notes.append(note)
        self._hint()

    def _hint(self) -> None:
        command = os.path.relpath(sys.argv[0])
        servers = self._settings.kafka.bootstrap_servers
        pid = self._workers[0].pid
        self.snapshot.hints = [
            f"FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS={servers} {command} alerts tail",
            f"kill -9 {pid}   (a worker; it is started again and nothing is lost)",
        ]
