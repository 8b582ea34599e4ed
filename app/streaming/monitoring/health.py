"""Is this worker well? What the probes answer and the watchdog acts on, from what the worker tells of itself.

A process that answers may stand still all the same: Faust's own detectors only log, and heartbeats come from another
thread, so that the group never takes the partitions away. Life is therefore judged by progress: records of a
partition wait, and no chunk of it was finished for too long. To have nothing to do is no stall. Nor is it one that
the brokers cannot be asked: what they hold is then unknown, and a chunk that they do not acknowledge ends the worker
by itself, sooner than any watchdog would.
"""

import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

Lane = int | str
"""A partition of the worker's main topic, or TOPIC-N of another."""


class Phase(StrEnum):
    """Where in its life a worker is."""

    STARTING = "starting"
    JOINING = "waiting for the group's assignment"
    RESTORING = "restoring profiles"
    SERVING = "serving"
    STOPPING = "stopping"


class Verdict(NamedTuple):
    """One probe's answer. ``why`` is one line and holds no value of an event."""

    good: bool
    why: str


class Stall(NamedTuple):
    """Records wait and nothing was finished."""

    what: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.what} for {self.seconds:.0f} s"


class Health:
    """Told by the worker's event loop and the Kafka client's thread, asked by probes and the watchdog."""

    def __init__(self, stall_seconds: float, clock: Callable[[], float]) -> None:
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._phase = Phase.STARTING
        self._started = False
        self._owned = 0
        self._partitions: dict[Lane, _Partition] = {}

    def started(self) -> None:
        """Everything the worker rests on was checked; it joins its group."""
        self._started = True
        self._move(Phase.JOINING)

    def rebalancing(self) -> None:
        """Partitions are moving. Faust drops what is fetched and not yet taken up, and waits for the rest."""
        self._move(Phase.JOINING)

    def assigned(self) -> None:
        """The group gave an assignment, perhaps an empty one. Nothing of the last one is in flight any more."""
        with self._lock:
            self._partitions.clear()
        self._move(Phase.RESTORING)

    def restoring(self) -> None:
        """The restore made a step."""
        with self._lock:
            for partition in self._partitions.values():
                self._look(partition, progressed=True)

    def restored(self, partitions: int) -> None:
        """Profiles are complete: from now on so many partitions are served."""
        self._owned = partitions
        self._move(Phase.SERVING)

    def stopping(self) -> None:
        """Asked to end, for good."""
        self._move(Phase.STOPPING)

    def fetched(self, partition: Lane, last_offset: int) -> None:
        """A chunk waits for the agent."""
        with self._lock:
            known = self._partitions.setdefault(partition, _Partition())
            known.fetched = last_offset
            self._look(known)

    def taken(self, partition: Lane, last_offset: int) -> None:
        """The agent took a chunk up."""
        with self._lock:
            known = self._partitions.setdefault(partition, _Partition())
            known.taken = last_offset
            self._look(known)

    def waits_for(self, partition: Lane, whom: str) -> None:
        """Its next chunk needs an answer from elsewhere: to wait for that is no stall. Empty when it goes on."""
        with self._lock:
            known = self._partitions.setdefault(partition, _Partition())
            known.whom = whom
            self._look(known, progressed=True)

    def finished(self, partition: Lane, last_offset: int) -> None:
        """All chunks of a partition up to this offset are finished."""
        with self._lock:
            known = self._partitions.get(partition)
            if known is not None:
                known.finished = last_offset
                self._look(known, progressed=True)

    def lag(self, records: Mapping[Lane, int]) -> None:
        """How many records the brokers hold of each partition that were not even fetched; unknown is none."""
        with self._lock:
            for partition in records:
                self._partitions.setdefault(partition, _Partition())
            for number, known in self._partitions.items():
                known.lag = records.get(number, 0)
                self._look(known)

    @property
    def is_stopping(self) -> bool:
        return self._phase is Phase.STOPPING

    def startup(self) -> Verdict:
        """``/startupz``."""
        return Verdict(self._started, "started" if self._started else Phase.STARTING)

    def readiness(self) -> Verdict:
        """``/readyz``. A spare worker, without partitions, is ready: it would take over at once."""
        with self._lock:
            waiting = [
                f"partition {number} waits for {known.whom}"
                for number, known in self._partitions.items()
                if known.whom
            ]
        if self._phase is Phase.SERVING and waiting:
            return Verdict(good=False, why="; ".join(waiting))
        if self._phase is Phase.SERVING:
            return Verdict(good=True, why=f"serving {self._owned} partitions")
        return Verdict(good=False, why=self._phase)

    def liveness(self) -> Verdict:
        """``/livez``, as far as records tell."""
        stall = self.stall()
        return Verdict(good=True, why=self._phase) if stall is None else Verdict(good=False, why=str(stall))

    def stall(self) -> Stall | None:
        """What has waited longest, when that is too long. A worker that stops has a bound of its own."""
        with self._lock:
            if self._phase is Phase.STOPPING:
                return None
            now = self._clock()
            stalls = [
                Stall(f"partition {number}: {known.waits_for(self._phase)}", now - known.since)
                for number, known in self._partitions.items()
                if known.since is not None and now - known.since > self._stall_seconds
            ]
        return max(stalls, key=lambda stall: stall.seconds, default=None)

    def unfinished(self) -> list[Lane]:
        """Partitions with a chunk that was taken up and is not finished."""
        with self._lock:
            return sorted((number for number, known in self._partitions.items() if known.in_flight), key=str)

    def _move(self, phase: Phase) -> None:
        """Stopping is the last phase: a rebalance that goes on beside it changes nothing."""
        with self._lock:
            if self._phase is not Phase.STOPPING:
                self._phase = phase
            for partition in self._partitions.values():
                self._look(partition, progressed=phase is Phase.SERVING)

    def _look(self, partition: "_Partition", *, progressed: bool = False) -> None:
        """Begin, go on or end waiting."""
        if partition.whom or not partition.waits_for(self._phase):
            partition.since = None
        elif partition.since is None or progressed:
            partition.since = self._clock()


class Lanes:
    """What the health calls the partitions of a worker's topics."""

    def __init__(self, main: str, *others: str) -> None:
        self.topics = (main, *others)

    def of(self, topic: str, partition: int) -> Lane:
        """The main topic's partitions go by their number."""
        return partition if topic == self.topics[0] else f"{topic}-{partition}"


class _Partition:
    """How far each step is, by offset; ``since`` when records wait without progress."""

    __slots__ = ("fetched", "finished", "lag", "since", "taken", "whom")

    def __init__(self) -> None:
        self.fetched = self.taken = self.finished = -1
        self.lag = 0
        self.whom = ""
        """Who has to answer before it can go on."""
        self.since: float | None = None

    @property
    def in_flight(self) -> bool:
        return self.finished < self.taken

    def waits_for(self, phase: Phase) -> str:
        """What is missing, empty when nothing is. While partitions move only a chunk in flight is overdue."""
        if self.in_flight:
            return "no chunk in flight was finished"
        if phase is Phase.SERVING and self.finished < self.fetched:
            return "no chunk fetched was taken up"
        if phase in {Phase.SERVING, Phase.RESTORING} and self.lag > 0:
            return "no record of those waiting was fetched"
        return ""
