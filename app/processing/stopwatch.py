"""Measures the time of each processing stage of a chunk."""

from collections.abc import Callable
from copy import copy
from typing import Literal

Stage = Literal[
    "load", "decode", "fold", "ask", "score", "shadow", "policy", "encode", "send", "changelog", "store"
]


class Stopwatch:
    """Seconds per stage of one chunk. ``clock`` returns seconds and never runs backwards."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = self.began = clock()
        self.seconds: dict[Stage, float] = {}

    def lap(self, stage: Stage) -> None:
        """Count the time since the last lap as ``stage``."""
        now = self._clock()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def part(self, fraction: float) -> "Stopwatch":
        """Return the stopwatch of one of several chunks computed together: its ``fraction`` of each stage so far."""
        part = copy(self)
        part.seconds = {stage: fraction * seconds for stage, seconds in self.seconds.items()}
        return part

    @property
    def elapsed(self) -> float:
        """Seconds from the start to the last lap, including time that other chunks shared."""
        return self._last - self.began
