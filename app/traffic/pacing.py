"""When each record of an open-loop sender is due: a fixed grid, whatever the sender achieved so far."""

import msgspec


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """``rate`` records a second from ``start_seconds`` on. Intended times never drift: a late record does not
    move the next one, so a receiver's delay is measured against when the record should have left.
    """

    start_seconds: float
    rate: float

    def due_seconds(self, index: int) -> float:
        """The intended time of record ``index``, on the clock of ``start_seconds``.

        >>> Pace(start_seconds=10.0, rate=4.0).due_seconds(3)
        10.75
        """
        return self.start_seconds + index / self.rate
