"""Where the time of a chunk goes."""

from collections.abc import Callable
from typing import Literal

Stage = Literal["load", "decode", "fold", "ask", "score", "shadow", "encode", "send", "changelog", "store"]


class Stopwatch:
    """Seconds per stage of one chunk; ``clock`` gives seconds and never runs backwards."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self.seconds: dict[Stage, float] = {}

    def lap(self, stage: Stage) -> None:
        """What passed since the last lap was ``stage``."""
        now = self._clock()
        self.seconds[stage] = now - self._last
        self._last = now
