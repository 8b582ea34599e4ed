"""JSON of bounded nesting. Without a bound of ours the recursion limit of the Python release decides about a record.

Use a BoundedDecoder for all JSON from outside this service.
"""

import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np

MAX_NESTING = 256
"""Objects and lists within each other. No event or envelope has more than ten; every supported Python decodes so many."""
SHORTEST_TOO_DEEP = 2 * (MAX_NESTING + 1)
"""Bytes that more nesting takes at least: an opening and a closing bracket for each level."""

T = TypeVar("T")

# Gives nothing back (`++`, `*+`): to be able to, the expression would take memory for each character of a text.
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


class TooDeep(ValueError):
    """A value is nested deeper than MAX_NESTING."""

    def __init__(self) -> None:
        super().__init__(f"the value is nested deeper than {MAX_NESTING} levels")


class BoundedDecoder(Generic[T]):
    """msgspec's decoder of JSON; ``decode`` also raises TooDeep."""

    def __init__(self, kind: type[T], float_hook: Callable[[str], Any] | None = None) -> None:
        self._decode = msgspec.json.Decoder(kind, float_hook=float_hook).decode

    def decode(self, value: bytes) -> T:
        if len(value) >= SHORTEST_TOO_DEEP:
            refuse_too_deep(value)
        return self._decode(value)

    def attempt(self, value: bytes | None) -> T | None:
        """The decoded value; None for one that cannot be decoded, so that the caller skips it."""
        try:
            return self.decode(value or b"")
        except (ValueError, RecursionError):
            return None


def refuse_too_deep(value: bytes) -> None:
    """Raise TooDeep for JSON, valid or not, in which more than MAX_NESTING brackets are open at once."""
    if len(value) < SHORTEST_TOO_DEEP or value.count(b"[") + value.count(b"{") <= MAX_NESTING:
        return
    text = np.frombuffer(_STRINGS.sub(b"", value), np.uint8)
    opened = (text == ord("[")) | (text == ord("{"))
    closed = (text == ord("]")) | (text == ord("}"))
    if np.cumsum(opened.astype(np.int64) - closed).max(initial=0) > MAX_NESTING:
        raise TooDeep
