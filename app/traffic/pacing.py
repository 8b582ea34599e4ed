"""The times at which an open-loop sender sends: a fixed grid that does not depend on its progress."""

import msgspec


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """``rate`` records per second from ``start_seconds`` on.

    A late record does not delay the next one: latencies are measured from the intended times, so that a slow system is
    not measured with less load (coordinated omission).
    """

    start_seconds: float
    rate: float

    def due_seconds(self, index: int) -> float:
        """Return the intended time of record ``index``, on the clock of ``start_seconds``.

        >>> Pace(start_seconds=10.0, rate=4.0).due_seconds(3)
        10.75
        """
        return self.start_seconds + index / self.rate
