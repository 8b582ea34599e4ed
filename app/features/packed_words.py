"""Joins many encoded values into one array for the compiled folds, and splits it again. Little-endian words of 8 bytes."""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import StateCorrupt

WORD_BYTES = 8

Words = NDArray[np.int64]

if sys.byteorder != "little":  # pragma: no cover
    raise ImportError("state is stored as little-endian words; this machine is big-endian")


class Joined(NamedTuple):
    """Encoded values in one array."""

    words: Words
    """Read-only."""
    starts: Words
    """Index in ``words`` at which each value begins, and at last the number of words."""


def join(values: Sequence[bytes], empty: bytes, kind: str) -> Joined:
    """Join encoded values; b"" stands for ``empty``. Raises StateCorrupt for a value that is not a multiple of 8 bytes."""
    encoded = [data or empty for data in values]
    data = b"".join(encoded)
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    if np.bitwise_or.reduce(lengths) % WORD_BYTES:
        raise StateCorrupt(f"the length of {kind} is not a multiple of {WORD_BYTES} bytes")
    starts = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum(lengths // WORD_BYTES, out=starts[1:])
    return Joined(np.frombuffer(data, np.int64), starts)


def split(words: Words, starts: Words, lengths: Words) -> list[bytes]:
    """Return the bytes of the values that begin at ``starts`` and are ``lengths`` words long."""
    data = words.data
    ends = starts + lengths
    return [data[begin:end].tobytes() for begin, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def writable(column: NDArray[Any]) -> NDArray[Any]:
    """Return the column, or a copy of it, in the memory layout for which the folds are compiled.

    numba would compile them again for each other layout (read-only, strided).
    """
    return column if column.flags.carray else np.require(column, requirements=("C", "A", "W"))
