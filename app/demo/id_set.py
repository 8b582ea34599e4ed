"""A set of numbers with one bit per number: the ids of a day at a thousand per second take ten megabytes."""


class IdSet:
    """A set of non-negative numbers that only grows.

    >>> seen = IdSet()
    >>> seen.add(3), seen.add(3), len(seen)
    (True, False, 1)
    """

    def __init__(self) -> None:
        self._bits = bytearray()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, number: int) -> bool:
        index = number >> 3
        return index < len(self._bits) and bool(self._bits[index] >> (number & 7) & 1)

    def add(self, number: int) -> bool:
        """Add a number; return True when it is new."""
        if number in self:
            return False
        index = number >> 3
        if index >= len(self._bits):
            self._bits.extend(bytes(index + 1 - len(self._bits)))
        self._bits[index] |= 1 << (number & 7)
        self._count += 1
        return True

    def without(self, other: "IdSet") -> int:
        """Return how many of the numbers are not in ``other``."""
        mine, others = int.from_bytes(self._bits, "little"), int.from_bytes(other._bits, "little")  # noqa: SLF001  # another IdSet
        return (mine & ~others).bit_count()
