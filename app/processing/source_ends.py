"""How far the log of transactions reaches, which bounds the offsets that other records name in it.

Facts and decisions name the offset of their transaction, and repeats are recognised by it. An offset that the log does not have
would make every later record of the partition a repeat, so it must not count.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.facts import Integers


class SourceEnds(NamedTuple):
    """The log of transactions when its brokers last answered; by default one without partitions."""

    topic_id: int = 0
    """The low 64 bits, as a signed number: that is how facts store it."""
    ends: tuple[int, ...] = ()
    """Of each partition the first offset that no record has yet."""

    def end(self, partition: int) -> int:
        """The end of a partition, 0 for one that does not exist."""
        return self.ends[partition] if partition < len(self.ends) else 0

    def lacks(self, partitions: Integers, offsets: Integers) -> NDArray[np.bool_]:
        """True for each position without a record."""
        exists = (partitions >= 0) & (partitions < len(self.ends))
        ends = np.array([*self.ends, 0], np.int64)[np.where(exists, partitions, -1)]
        missing: NDArray[np.bool_] = (offsets < 0) | (offsets >= ends)
        return missing
