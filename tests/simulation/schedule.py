"""One schedule: the seed selects each next step, and the failures."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import NamedTuple
from unittest.mock import patch

from app.errors import SendFailed
from app.streaming.delivery import order_of_writes
from app.streaming.execution import chunk_runner
from tests.simulation.source import LOGS, Source, source
from tests.simulation.verdict import check
from tests.simulation.worker import SESSION_SECONDS, Worker, fail_stop
from tests.simulation.world import Broken, ChangelogReader, Disk, Sending, Topics

MOST_STEPS = 400
MOST_DEATHS = 4
DEADLY = 0.15
"""Fraction of the steps at which a failure is possible."""
WIPED = 0.2
"""Probability that a worker starts on an empty disk."""
NOTICED = 0.3
"""Probability per step that a worker cut off from the group learns of it."""

Step = Callable[[], None]


class Unknown(Exception):
    """The group no longer knows this worker."""


class Played(NamedTuple):
    """The steps of a schedule, and its failures."""

    steps: list[str]
    deaths: int
    zombies: int


class Schedule:
    """Two machines with one disk each, and one partition that moves between them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.source: Source = source(seed % LOGS)
        self.topics = Topics()
        self.committed = 0
        self.steps: list[str] = []
        self.deaths = 0
        self.zombies = 0
        self._now = 0.0
        self._disks = [Disk(self.topics), Disk(self.topics)]
        self._owner: Worker
        self._zombies: list[Worker] = []
        self._late: list[Sending] = []
        """Batches of dead workers that are still in flight."""

    async def play(self) -> Played:
        """Play to the end of the source log, until all chunks are finished. Raises Broken."""
        await self._start(0)
        for _ in range(MOST_STEPS):
            if self._owner.idle and self._owner.position == len(self.source.records):
                break
            await self._step(self.random.choice(self._possible()))
        await self._finish()
        return Played(self.steps, self.deaths, self.zombies)

    def _possible(self) -> list[Step]:
        """Return the possible steps, each as often as its weight."""
        owner, sender = self._owner, self._owner.sender
        steps: list[Step] = [self._commit, self._write_out, self._beat]
        steps += [self._fetch] * (4 if owner.position < len(self.source.records) else 0)
        steps += [self._append] * (4 * bool(sender.next_to_append()))
        steps += [self._acknowledge] * (4 * bool(sender.next_to_acknowledge()))
        steps += [self._answer] * (4 * bool(owner.asked))
        steps += [self._arrive_late] * bool(self._late)
        steps += [self._wake] * bool(self._zombies)
        if self.deaths + self.zombies < MOST_DEATHS and self.random.random() < DEADLY:
            steps += [self._kill, self._kill]
            steps += [self._pause, self._cut_off] * (not self._zombies)
            steps += [self._refuse] * bool(sender.next_to_append())
        return steps

    async def _step(self, step: Step) -> None:
        self.steps.append(step.__name__.strip("_"))
        step()
        await settle()
        if step in (self._pause, self._cut_off):
            await self._start(self.random.choice(self._free_machines()))
        if step == self._wake:
            zombie = self._zombies[0]
            zombie.beat()
            if zombie.alive and not zombie.cut_off:
                raise Broken("a worker that was paused past its session continues")
            if zombie.alive and self.random.random() < NOTICED:
                zombie.kill(Unknown("to the group"))
        for worker in [self._owner, *self._zombies]:
            if worker.broken:
                raise worker.broken
        await self._replace_dead()

    async def _replace_dead(self) -> None:
        """Remove dead workers, and start another one when the owner died."""
        for zombie in [zombie for zombie in self._zombies if not zombie.alive]:
            self._zombies.remove(zombie)
            self._lose(zombie)
            zombie.disk.crash(self.random)
        owner = self._owner
        if not owner.alive:
            self.steps.append(f"the owner ended: {owner.died_of!r}")
            self.deaths += 1
            self._lose(owner)
            owner.disk.crash(self.random)
            await self._start(self.random.choice(self._free_machines()))

    async def _start(self, machine: int) -> None:
        """Start a worker on this machine's disk, or on a new disk."""
        if self.random.random() < WIPED:
            self._disks[machine] = Disk(self.topics)
            self.steps.append(f"machine {machine} has a new disk")
        self.steps.append(f"machine {machine} takes over at {self.committed}")
        self._owner = Worker(self._disks[machine], self.topics, lambda: self._now, self.committed)
        await self._owner.restore(ChangelogReader(self.topics, self.random))

    def _free_machines(self) -> list[int]:
        held = [zombie.disk for zombie in self._zombies]
        return [machine for machine, disk in enumerate(self._disks) if not any(disk is each for each in held)]

    def _lose(self, dead: Worker) -> None:
        """Batches of a dead worker may still arrive: of each topic the first ones."""
        lost: set[str] = set()
        for sending in dead.sender.in_flight:
            if sending.appended:
                continue
            if sending.topic in lost or self.random.random() < 0.5:
                lost.add(sending.topic)
            else:
                self._late.append(sending)
        dead.sender.in_flight.clear()

    def _fetch(self) -> None:
        at = self._owner.position
        self._owner.take(self.source.records[at : at + self.random.randint(1, 5)])

    def _append(self) -> None:
        self.random.choice(self._owner.sender.next_to_append()).append(self.topics)

    def _acknowledge(self) -> None:
        sender = self._owner.sender
        sender.acknowledge(self.random.choice(sender.next_to_acknowledge()))

    def _answer(self) -> None:
        self._owner.answer()

    def _refuse(self) -> None:
        sender = self._owner.sender
        sending = self.random.choice(sender.next_to_append())
        sender.in_flight.remove(sending)
        sending.acknowledged.set_exception(SendFailed("refused"))

    def _commit(self) -> None:
        self.committed = self._owner.finished

    def _write_out(self) -> None:
        self._owner.disk.write_out()

    def _beat(self) -> None:
        self._owner.beat()

    def _arrive_late(self) -> None:
        self._late.pop(0).append(self.topics)

    def _kill(self) -> None:
        self._owner.kill(KeyboardInterrupt("kill -9"))

    def _pause(self) -> None:
        """Pause the owner until its session has ended; the other machine takes over."""
        self._zombies.append(self._owner)
        self.zombies += 1
        self._now += SESSION_SECONDS + 1

    def _cut_off(self) -> None:
        """Lose only the owner's heartbeats: it continues beside the worker that takes over."""
        self._owner.cut_off = True
        self._zombies.append(self._owner)
        self.zombies += 1

    def _wake(self) -> None:
        """Resume a paused worker: acknowledgements arrive and a fetched chunk is taken before its next beat."""
        zombie = self._zombies[0]
        for sending in zombie.sender.next_to_append():
            if self.random.random() < 0.5:
                sending.append(self.topics)
        for sending in zombie.sender.next_to_acknowledge():
            zombie.sender.acknowledge(sending)
        if zombie.asked and self.random.random() < 0.5:
            zombie.answer()
        if zombie.position < len(self.source.records) and self.random.random() < 0.5:
            zombie.take(self.source.records[zombie.position : zombie.position + 3])

    async def _finish(self) -> None:
        """Finish without failures, and check the result, also after a restore to an empty disk."""
        while self._zombies:
            await self._step(self._wake)
        for _ in range(MOST_STEPS):
            if self._owner.idle and self._owner.position == len(self.source.records):
                break
            await self._step(self.random.choice(self._harmless()))
        else:
            raise Broken("the schedule does not end")
        while self._late:
            self._arrive_late()
        check(self.topics, self._owner.disk.profiles, self.source)
        new = Disk(self.topics)
        await Worker(new, self.topics, lambda: self._now, 0).restore(
            ChangelogReader(self.topics, self.random)
        )
        check(self.topics, new.profiles, self.source)

    def _harmless(self) -> list[Step]:
        harmful = (self._kill, self._pause, self._cut_off, self._refuse)
        return [step for step in self._possible() if step not in harmful]


async def settle() -> None:
    """Wait until no other task is ready: everything has run that needs no further step."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # no public way to see that the loop is idle; a fixed number of turns may be too few
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110  # no event signals that nothing is ready
        await asyncio.sleep(0)


async def play(seed: int) -> Played:
    """Play the schedule of a seed. Raises Broken with the schedule's steps."""
    schedule = Schedule(seed)
    try:
        with (
            patch.object(order_of_writes, "fail_stop", fail_stop),
            patch.object(chunk_runner, "fail_stop", fail_stop),
        ):
            return await schedule.play()
    except AssertionError as error:
        raise Broken(f"seed {seed}: {error}\n" + "\n".join(schedule.steps)) from error
