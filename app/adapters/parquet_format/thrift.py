"""Reads structs in Thrift's compact protocol, of which Parquet's footer and the headers of its pages are made."""

TRUE, FALSE = 1, 2
_STOP, _LONG_LIST = 0, 15
_DOUBLE_BYTES = 8
MOST_LEVELS = 16
"""Levels of structs and lists; those of Parquet take seven."""

Value = int | bytes | list["Value"] | dict[int, "Value"]


class Malformed(ValueError):
    """The bytes are not what Thrift, or Parquet, makes."""


class CutOff(Malformed):
    """The bytes end within a struct."""

    def __init__(self) -> None:
        super().__init__("a struct that is cut off")


class Reader:
    """Reads values at ``at``. Raises Malformed where the bytes end or are not as the protocol says."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data = data
        self._end = end
        self.at = at

    def struct(self, levels: int = MOST_LEVELS) -> dict[int, Value]:
        """The values of a struct by field id; truth values are 1 and 0."""
        found: dict[int, Value] = {}
        field = 0
        while (head := self._byte()) != _STOP:
            step, kind = head >> 4, head & 15
            field = field + step if step else self._number()
            found[field] = int(kind == TRUE) if kind in {TRUE, FALSE} else self._value(kind, levels - 1)
        return found

    def _value(self, kind: int, levels: int) -> Value:
        if levels < 0:
            raise Malformed("a struct with too many levels")
        match kind:
            case 3:
                return self._byte()
            case 4 | 5 | 6:
                return self._number()
            case 7:
                return self._take(_DOUBLE_BYTES)
            case 8:
                return self._take(self._varint())
            case 9 | 10:
                return self._list(levels)
            case 12:
                return self.struct(levels)
        raise Malformed("a value of a kind that Parquet does not use")

    def _list(self, levels: int) -> list[Value]:
        head = self._byte()
        count, kind = head >> 4, head & 15
        if count == _LONG_LIST:
            count = self._varint()
        if count > self._end - self.at:
            raise Malformed("a list of more items than bytes")
        if kind in {TRUE, FALSE}:  # in a list, truth values take a byte
            return [self._byte() for _ in range(count)]
        return [self._value(kind, levels - 1) for _ in range(count)]

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
        raise Malformed("a number of too many bytes")

    def _byte(self) -> int:
        if self.at >= self._end:
            raise CutOff
        self.at += 1
        return self._data[self.at - 1]

    def _take(self, count: int) -> bytes:
        if count > self._end - self.at:
            raise CutOff
        self.at += count
        return self._data[self.at - count : self.at]
