"""A link that delays, loses, repeats and reorders frames: ``python -m tests.chaos.lab.relay INNER OUTER``.

The arguments are the descriptors of two TAP devices, one in a host and one on the switch. Each line on stdin is a `Quality` in
JSON, which holds from then on. Frames are complete and have checksums, as TAP devices offload nothing.
"""

import asyncio
import json
import os
import sys
from contextlib import suppress
from random import Random
from typing import NamedTuple

FRAME_BYTES = 65_536
FRAMES_AT_ONCE = 64
"""Read before other events are served."""


class Quality(NamedTuple):
    """The quality of a link, the same in both directions."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    """Each frame takes up to this much longer. Frames overtake one another."""
    loss: float = 0.0
    """Share of the frames that vanish."""
    duplicates: float = 0.0
    """Share of the frames that arrive twice."""


FAR = Quality(delay_ms=25)
"""As between two sites: at any moment a request is under way, while on one machine almost none is."""


class Relay:
    """Copies frames between two devices."""

    def __init__(self, inner: int, outer: int, control: int) -> None:
        """``control`` is the descriptor of the lines with the quality."""
        self._quality = Quality()
        self._random = Random(inner)
        self._loop = asyncio.get_running_loop()
        self._read = (inner, outer, control)
        self.closed = asyncio.Event()
        self._loop.add_reader(inner, self._pass_on, inner, outer)
        self._loop.add_reader(outer, self._pass_on, outer, inner)
        self._loop.add_reader(control, self._obey, control)

    def close(self) -> None:
        """Read nothing any more."""
        for descriptor in self._read:
            self._loop.remove_reader(descriptor)

    def _obey(self, control: int) -> None:
        lines = os.read(control, FRAME_BYTES).splitlines()
        if not lines:
            self.closed.set()
            return
        self._quality = Quality(**json.loads(lines[-1]))

    def _pass_on(self, source: int, sink: int) -> None:
        with suppress(BlockingIOError):
            for _ in range(FRAMES_AT_ONCE):
                self._carry(os.read(source, FRAME_BYTES), sink)

    def _carry(self, frame: bytes, sink: int) -> None:
        quality, random = self._quality, self._random
        if random.random() < quality.loss:
            return
        for _ in range(1 + (random.random() < quality.duplicates)):
            delay_ms = quality.delay_ms + random.random() * quality.jitter_ms
            if delay_ms:
                self._loop.call_later(delay_ms / 1000, _write, sink, frame)
            else:
                _write(sink, frame)


def _write(sink: int, frame: bytes) -> None:
    with suppress(OSError):  # the interface is down, or its queue is full: a wire would lose the frame, too
        os.write(sink, frame)


async def main() -> None:
    """Copy frames until stdin is closed."""
    inner, outer = (int(word) for word in sys.argv[1:])
    await Relay(inner, outer, sys.stdin.fileno()).closed.wait()


if __name__ == "__main__":
    asyncio.run(main())
