"""Conditions on columns of texts: decided once for each distinct text of the chunk, then looked up by code."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Mapping

import numpy as np

from app.expressions.vector.arithmetic import Mask
from app.expressions.vector.columns import Texts, Truth


class EntriesByRow(ABC):
    """Entries of a list that depend on the row of the chunk, such as on its event time."""

    @abstractmethod
    def rows_listed(self, texts: Texts) -> Mask:
        """Whether the text of each row is an entry for that row; False where it is missing."""


ChunkLists = Mapping[str, Container[str] | EntriesByRow]
"""The entries of each list that is in force, for the rows of a chunk."""


def matching(texts: Texts, holds: Callable[[str], bool]) -> Truth:
    """Whether a property of a text holds, row by row."""
    # The last entry is that of code -1: a missing text.
    table = np.array([*map(holds, texts.distinct), False], np.bool_)
    true = table[texts.codes]
    return Truth(true, (texts.codes >= 0) & ~true)


def listed(texts: Texts, entries: Container[str] | EntriesByRow) -> Truth:
    """Whether a text is an entry of a list."""
    if isinstance(entries, EntriesByRow):
        true = entries.rows_listed(texts)
        return Truth(true, (texts.codes >= 0) & ~true)
    return matching(texts, lambda text: text in entries)


def same_text(left: Texts, right: Texts) -> Truth:
    """Whether the texts of two columns are the same, row by row."""
    codes = {text: code for code, text in enumerate(left.distinct)}
    # A text that the left column does not have, and a missing one, are no code of it.
    table = np.array([*(codes.get(text, -1) for text in right.distinct), -1], np.int32)
    present = (left.codes >= 0) & (right.codes >= 0)
    same = left.codes == table[right.codes]
    return Truth(present & same, present & ~same)
