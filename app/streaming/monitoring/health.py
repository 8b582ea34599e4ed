"""The health of a worker: the answers of the HTTP probes, and the stalls that the watchdog acts on.

A process that answers probes may still be stalled. Faust's own detectors only log, and heartbeats come from another
thread, so the group does not revoke the partitions of a stalled worker. Health is therefore measured by progress: a
worker is stalled if records of a partition wait and no chunk of that partition is finished for too long.

A worker without records is not stalled. Neither is one that cannot reach the brokers: the number of waiting records is
then unknown, and a chunk that the brokers do not acknowledge ends the worker sooner than the watchdog would.
"""

import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

PartitionName = int | str
"""The number of a partition of the worker's main topic; TOPIC-NUMBER for its other topics."""


class Phase(StrEnum):
    """The phase of a worker's life."""

    STARTING = "starting"
    JOINING = "waiting for the group's assignment"
    RESTORING = "restoring profiles"
    SERVING = "serving"
    STOPPING = "stopping"


class Verdict(NamedTuple):
    """The answer of one probe. ``why`` is one line and contains no value of an event."""

    good: bool
    why: str


class Stall(NamedTuple):
    """A partition without progress for ``seconds``."""

    what: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.what} for {self.seconds:.0f} s"


class Health:
    """Thread-safe: the event loop and the Kafka client's thread report to it, probes and the watchdog read it."""

    def __init__(self, stall_seconds: float, clock: Callable[[], float]) -> None:
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._phase = Phase.STARTING
        self._started = False
        self._owned = 0
        self._partitions: dict[PartitionName, _Partition] = {}

    def started(self) -> None:
        """All checks passed; the worker joins its group."""
        self._started = True
        self._enter(Phase.JOINING)

    def rebalancing(self) -> None:
        """A rebalance began. Faust drops chunks that no agent has taken up yet, and waits for those in flight."""
        self._enter(Phase.JOINING)

    def assigned(self) -> None:
        """The group gave an assignment, perhaps an empty one. No chunk of the previous assignment is in flight."""
        with self._lock:
            self._partitions.clear()
        self._enter(Phase.RESTORING)

    def restoring(self) -> None:
        """The restore made progress."""
        with self._lock:
            for partition in self._partitions.values():
                self._update(partition, progressed=True)

    def restored(self, partitions: int) -> None:
        """The restore is complete; the worker serves this number of partitions."""
        self._owned = partitions
        self._enter(Phase.SERVING)

    def stopping(self) -> None:
        """The process was asked to stop."""
        self._enter(Phase.STOPPING)

    def fetched(self, partition: PartitionName, last_offset: int) -> None:
        """A chunk was fetched and waits for the agent."""
        with self._lock:
            state = self._partitions.setdefault(partition, _Partition())
            state.fetched = last_offset
            self._update(state)

    def taken(self, partition: PartitionName, last_offset: int) -> None:
        """The agent took a chunk."""
        with self._lock:
            state = self._partitions.setdefault(partition, _Partition())
            state.taken = last_offset
            self._update(state)

    def waits_for(self, partition: PartitionName, provider: str) -> None:
        """The next chunk waits for the service ``provider``, which is no stall; an empty name ends the wait."""
        with self._lock:
            state = self._partitions.setdefault(partition, _Partition())
            state.provider = provider
            self._update(state, progressed=True)

    def unreadable(self, partitions: Mapping[PartitionName, str]) -> None:
        """The partitions that are stopped at records that cannot be read, each with the reason; no others are."""
        with self._lock:
            for number in partitions:
                self._partitions.setdefault(number, _Partition())
            for number, state in self._partitions.items():
                state.unreadable = partitions.get(number, "")
                self._update(state)

    def finished(self, partition: PartitionName, last_offset: int) -> None:
        """All chunks of a partition up to this offset are finished."""
        with self._lock:
            state = self._partitions.get(partition)
            if state is not None:
                state.finished = last_offset
                self._update(state, progressed=True)

    def lag(self, records: Mapping[PartitionName, int]) -> None:
        """Records that the brokers hold and that were not fetched, by partition; 0 where the number is unknown."""
        with self._lock:
            for partition in records:
                self._partitions.setdefault(partition, _Partition())
            for number, state in self._partitions.items():
                state.lag = records.get(number, 0)
                self._update(state)

    @property
    def is_stopping(self) -> bool:
        return self._phase is Phase.STOPPING

    def startup(self) -> Verdict:
        """The answer of ``/startupz``."""
        return Verdict(self._started, "started" if self._started else Phase.STARTING)

    def readiness(self) -> Verdict:
        """The answer of ``/readyz``. A worker without partitions is ready: it takes over at once."""
        with self._lock:
            waiting = [
                f"partition {number} waits for {state.provider}"
                for number, state in self._partitions.items()
                if state.provider
            ] + [
                f"partition {number} is stopped: {state.unreadable}"
                for number, state in self._partitions.items()
                if state.unreadable
            ]
        if self._phase is Phase.SERVING and waiting:
            return Verdict(good=False, why="; ".join(waiting))
        if self._phase is Phase.SERVING:
            return Verdict(good=True, why=f"serving {self._owned} partitions")
        return Verdict(good=False, why=self._phase)

    def liveness(self) -> Verdict:
        """The answer of ``/livez``, as far as progress is concerned."""
        stall = self.stall()
        return Verdict(good=True, why=self._phase) if stall is None else Verdict(good=False, why=str(stall))

    def stall(self) -> Stall | None:
        """The longest stall above the limit. None while the worker stops: ``Watchdog.bound_stop`` limits that."""
        with self._lock:
            if self._phase is Phase.STOPPING:
                return None
            now = self._clock()
            stalls = [
                Stall(f"partition {number}: {state.waits_for(self._phase)}", now - state.since)
                for number, state in self._partitions.items()
                if state.since is not None and now - state.since > self._stall_seconds
            ]
        return max(stalls, key=lambda stall: stall.seconds, default=None)

    def unfinished(self) -> list[PartitionName]:
        """Partitions with a chunk in flight."""
        with self._lock:
            return sorted((number for number, state in self._partitions.items() if state.in_flight), key=str)

    def _enter(self, phase: Phase) -> None:
        """Stopping is the last phase: a rebalance at the same time does not change it."""
        with self._lock:
            if self._phase is not Phase.STOPPING:
                self._phase = phase
            for partition in self._partitions.values():
                self._update(partition, progressed=phase is Phase.SERVING)

    def _update(self, partition: "_Partition", *, progressed: bool = False) -> None:
        """Start, restart or end the time without progress."""
        if partition.provider or not partition.waits_for(self._phase):
            partition.since = None
        elif partition.since is None or progressed:
            partition.since = self._clock()


class PartitionNames:
    """The names that health reports use for the partitions of a worker's topics."""

    def __init__(self, main: str, *others: str) -> None:
        self.topics = (main, *others)

    def of(self, topic: str, partition: int) -> PartitionName:
        """The number for the main topic, TOPIC-NUMBER for others."""
        return partition if topic == self.topics[0] else f"{topic}-{partition}"


class _Partition:
    """The newest offset of each step; ``since`` is the time since when records wait without progress."""

    __slots__ = ("fetched", "finished", "lag", "provider", "since", "taken", "unreadable")

    def __init__(self) -> None:
        self.fetched = self.taken = self.finished = -1
        self.lag = 0
        self.provider = ""
        """The service that must answer before the next chunk can be computed."""
        self.unreadable = ""
        """Why the records that wait cannot be read; an operator must act."""
        self.since: float | None = None

    @property
    def in_flight(self) -> bool:
        return self.finished < self.taken

    def waits_for(self, phase: Phase) -> str:
        """The step that is missing; empty if there is none. During a rebalance only chunks in flight count."""
        if self.in_flight:
            return "no chunk in flight was finished"
        if phase is Phase.SERVING and self.finished < self.fetched:
            return "no chunk fetched was taken up"
        if phase in {Phase.SERVING, Phase.RESTORING} and self.lag > 0 and not self.unreadable:
            return "no record of those waiting was fetched"
        return ""
