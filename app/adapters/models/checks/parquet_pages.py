"""The sizes that the pages of a Parquet file unpack to, read from the headers of the pages.

Arrow allocates what the header of a page says, and the footer of the file need not agree with it: a page of 100 kB can unpack to
2 GB. The header is a struct in Thrift's compact protocol, of which this module reads three numbers and skips the rest.
"""

from collections.abc import Iterator

_INT32, _STOP = 5, 0
_KIND, _SIZE, _STORED_SIZE = 1, 2, 3
"""Fields of the header."""
_OF_VALUES = {0, 3}
"""Kinds of pages that hold values. A dictionary is expanded to what its own header says."""
_MOST_LEVELS = 16
"""Levels of structs and lists; the statistics of a page take three."""


def unpacked_sizes(data: bytes, begin: int, end: int) -> Iterator[int]:
    """Yield the unpacked size of each page of a column, which is stored in ``data[begin:end]``. Raises ValueError."""
    if not 0 <= begin <= end <= len(data):
        raise ValueError("a column outside of the file")
    while begin < end:
        header = _Reader(data, begin, end)
        numbers = header.struct(_MOST_LEVELS)
        size, stored = numbers.get(_SIZE, -1), numbers.get(_STORED_SIZE, -1)
        if numbers.get(_KIND) not in _OF_VALUES or size < 0 or stored < 0:
            raise ValueError("a page of another kind, or without its size")
        yield size
        begin = header.at + stored


class _Reader:
    """Reads values at ``at``. Raises ValueError where the bytes end or are not as the protocol says."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data = data
        self._end = end
        self.at = at

    def struct(self, levels: int) -> dict[int, int]:
        """Skip a struct; returns its 32-bit numbers by field id."""
        numbers: dict[int, int] = {}
        field = 0
        while (head := self._byte()) != _STOP:
            step, kind = head >> 4, head & 15
            field = field + step if step else self._number()
            if kind == _INT32:
                numbers[field] = self._number()
            else:
                self._skip(kind, levels - 1)
        return numbers

    def _skip(self, kind: int, levels: int) -> None:
        if levels < 0:
            raise ValueError("a header with too many levels")
        match kind:
            case 1 | 2:  # true and false are the kind itself
                pass
            case 5 | 6:
                self._varint()
            case 8:
                self._advance(self._varint())
            case 9 | 10:
                self._skip_list(levels)
            case 12:
                self.struct(levels)
            case _:  # a map or a double, which no header of a page has
                raise ValueError("a header of another kind")

    def _skip_list(self, levels: int) -> None:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        for _ in range(count):
            if head & 15 in {1, 2}:  # in a list, truth values take a byte
                self._byte()
            else:
                self._skip(head & 15, levels - 1)

    def _number(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number of too many bytes")

    def _byte(self) -> int:
        self._advance(1)
        return self._data[self.at - 1]

    def _advance(self, count: int) -> None:
        self.at += count
        if self.at > self._end:
            raise ValueError("a header that is cut off")
