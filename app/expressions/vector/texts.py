"""Conditions on columns of texts: decided once for each distinct text of the chunk, then looked up by code."""

from collections.abc import Callable, Container

import numpy as np

from app.expressions.vector.columns import Texts, Truth


def matching(texts: Texts, holds: Callable[[str], bool]) -> Truth:
    """Whether a property of a text holds, row by row."""
    # The last entry is that of code -1: a missing text.
    table = np.array([*map(holds, texts.distinct), False], np.bool_)
    true = table[texts.codes]
    return Truth(true, (texts.codes >= 0) & ~true)


def listed(texts: Texts, entries: Container[str]) -> Truth:
    """Whether a text is an entry of a list."""
    return matching(texts, lambda text: text in entries)


def same_text(left: Texts, right: Texts) -> Truth:
    """Whether the texts of two columns are the same, row by row."""
    codes = {text: code for code, text in enumerate(left.distinct)}
    # A text that the left column does not have, and a missing one, are no code of it.
    table = np.array([*(codes.get(text, -1) for text in right.distinct), -1], np.int32)
    present = (left.codes >= 0) & (right.codes >= 0)
    same = left.codes == table[right.codes]
    return Truth(present & same, present & ~same)
