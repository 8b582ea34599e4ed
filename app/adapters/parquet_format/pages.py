"""The sizes that the pages of a Parquet file unpack to, read from the headers of the pages.

Arrow allocates what the header of a page says, and the footer of the file need not agree with it: a page of 100 kB can unpack to
2 GB.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.adapters.parquet_format.thrift import CutOff, Malformed, Reader, Value

_KIND, _SIZE, _STORED_SIZE = 1, 2, 3
_VALUES, _VALUES_V2, _COUNT = 5, 8, 1
"""Fields of the header, and of the headers of pages of values in it."""
_OF_VALUES = {0, 3}
"""Kinds of pages that hold values. A dictionary is expanded to what its own header says."""
_HEADER_BYTES = (2**12, 2**16, 2**24)
"""Read at once; a header with long statistics needs more than the first. Arrow reads no longer one."""

ReadAt = Callable[[int, int], bytes]
"""The bytes of a file from an offset on, at most so many."""


class Page(NamedTuple):
    """The header of a page."""

    kind: int
    size: int
    """Unpacked."""
    stored: int
    values: int
    header: int
    """Bytes of the header."""


def unpacked_sizes(data: bytes, begin: int, end: int) -> Iterator[int]:
    """Yield the unpacked size of each page of a column, which is stored in ``data[begin:end]``. Raises Malformed."""
    if not 0 <= begin <= end <= len(data):
        raise Malformed("a column outside of the file")
    while begin < end:
        page = _page(data, begin, end)
        if page.kind not in _OF_VALUES:
            raise Malformed("a page of another kind")
        yield page.size
        begin += page.header + page.stored


def pages_of_file(read_at: ReadAt, begin: int, end: int, values: int) -> Iterator[Page]:
    """Yield the pages of a column of a file, as far as Arrow reads it: up to its number of values. Raises Malformed."""
    while begin < end and values > 0:
        page = _page_at(read_at, begin)
        yield page
        values -= page.values if page.kind in _OF_VALUES else 0
        begin += page.header + page.stored


def _page_at(read_at: ReadAt, begin: int) -> Page:
    for most in _HEADER_BYTES:
        data = read_at(begin, most)
        try:
            return _page(data, 0, len(data))
        except CutOff:
            if len(data) < most:
                raise
    raise Malformed("a header that is too long")


def _page(data: bytes, begin: int, end: int) -> Page:
    reader = Reader(data, begin, end)
    fields = reader.struct()
    kind, size, stored = (_number(fields.get(field)) for field in (_KIND, _SIZE, _STORED_SIZE))
    inner = fields.get(_VALUES, fields.get(_VALUES_V2, {}))
    values = _number(inner.get(_COUNT, 0)) if isinstance(inner, dict) else 0
    if min(kind, size, stored, values) < 0:
        raise Malformed("a page without its size")
    return Page(kind, size, stored, values, reader.at - begin)


def _number(value: Value | None) -> int:
    return value if isinstance(value, int) else -1
