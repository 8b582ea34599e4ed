"""Many encoded values side by side, as the compiled folds take them. Little-endian words of 8 bytes."""

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
    """Encoded values side by side."""

    words: Words
    """Read only."""
    starts: Words
    """Index in ``words`` where each begins; one more than values."""


def join(values: Sequence[bytes], empty: bytes, kind: str) -> Joined:
    """Lay encoded values side by side, ``empty`` for b"". Raises StateCorrupt for what is no whole words."""
    encoded = [data or empty for data in values]
    data = b"".join(encoded)
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    if np.bitwise_or.reduce(lengths) % WORD_BYTES:
        raise StateCorrupt(f"the bytes of {kind} are no whole words")
    starts = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum(lengths // WORD_BYTES, out=starts[1:])
    return Joined(np.frombuffer(data, np.int64), starts)


def split(words: Words, starts: Words, lengths: Words) -> list[bytes]:
    """The values that begin at ``starts`` and are ``lengths`` words long, each as its bytes."""
    data = words.data
    ends = starts + lengths
    return [data[begin:end].tobytes() for begin, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def writable(column: NDArray[Any]) -> NDArray[Any]:
    """The column itself or a copy, in the one layout that folds are compiled for; for another it would be again."""
    return column if column.flags.carray else np.require(column, requirements=("C", "A", "W"))
