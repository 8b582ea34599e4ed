"""Where the time of a chunk goes."""

from collections.abc import Callable
from copy import copy
from typing import Literal

Stage = Literal["load", "decode", "fold", "ask", "score", "shadow", "encode", "send", "changelog", "store"]


class Stopwatch:
    """Seconds per stage of one chunk; ``clock`` gives seconds and never runs backwards."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = self.began = clock()
        self.seconds: dict[Stage, float] = {}

    def lap(self, stage: Stage) -> None:
        """What passed since the last lap was ``stage``."""
        now = self._clock()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def part(self, share: float) -> "Stopwatch":
        """Of one of those that went through all stages so far together, as if by itself it took its share of them."""
        part = copy(self)
        part.seconds = {stage: share * seconds for stage, seconds in self.seconds.items()}
        return part

    @property
    def elapsed(self) -> float:
        """Seconds until the last lap, shared or not."""
        return self._last - self.began
