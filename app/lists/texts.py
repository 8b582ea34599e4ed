"""Texts as the table stores and looks them up: their bytes, and hashes of them.

Python seeds its hash of texts anew in each process, so that a sender cannot choose entries or ids that collide.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.lists.probe import Bytes, Integers, Texts

_SALT = 0x9E3779B97F4A7C15
_ALL_BITS = 0xFFFFFFFFFFFFFFFF
_TAG_BITS = 0x7FFFFFFF


class EncodedTexts(NamedTuple):
    """Texts with their hashes and bytes. Every list and every probe of a chunk's column shares them."""

    hashes: Integers
    data: Bytes
    ends: Integers

    @classmethod
    def of(cls, texts: Sequence[str]) -> "EncodedTexts":
        """Encode texts."""
        joined = "".join(texts)
        lengths = (
            [len(text) for text in texts] if joined.isascii() else [len(encoded(text)) for text in texts]
        )
        ends = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(lengths, out=ends[1:])
        hashes = np.fromiter(map(hash, texts), np.int64, len(texts))
        return cls(hashes, np.frombuffer(encoded(joined), np.uint8), ends)

    def in_list(self, owner: int) -> Texts:
        """The texts with the tags that they have in a list."""
        mixed = self.hashes.view(np.uint64) ^ np.uint64(_salt(owner))
        tags = (mixed ^ (mixed >> np.uint64(32))) & np.uint64(_TAG_BITS)
        return Texts(tags.view(np.int64), self.data, self.ends)


def tag_of(text: str, owner: int) -> int:
    """The tag that a text has in a list."""
    mixed = hash(text) ^ _salt(owner)
    return (mixed ^ (mixed >> 32)) & _TAG_BITS


def encoded(text: str) -> bytes:
    """The bytes of a text. A text of a file may have lone surrogates; no entry has."""
    return text.encode("utf-8", "surrogatepass")


def _salt(owner: int) -> int:
    """Differs by list, so that entries that many lists have are spread over the slots."""
    return (owner + 1) * _SALT & _ALL_BITS
