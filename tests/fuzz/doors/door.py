"""What a door is: a generator of inputs, and a decoder with its documented outcomes."""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from app.errors import InvalidEvent, InvalidFile, InvalidReason


class Payload(NamedTuple):
    """The bytes of an input that a coverage-guided fuzzer changes."""

    read: Callable[[Any], bytes]
    replace: Callable[[Any, bytes], Any]
    """The input with other bytes in their place; anything else of it stays."""


WHOLE = Payload(lambda given: given, lambda _, data: data)
"""Of an input that is bytes."""
VALUE = Payload(lambda record: record.value or b"", lambda record, data: record._replace(value=data))
"""Of a record."""
DATA = Payload(lambda given: given.data, lambda given, data: given._replace(data=data))
"""Of a file."""
TEXT = Payload(
    lambda text: text.encode("utf-8", "surrogateescape"),
    lambda _, data: data.decode("utf-8", "surrogateescape"),
)
"""Of an input that is text."""


class Door(NamedTuple):
    """One way by which bytes of others come in."""

    name: str
    what: str
    make: Callable[[Random], Any]
    """An input, a function of the random numbers alone."""
    decode: Callable[[Any], str]
    """The outcome of an input. An exception is a finding."""
    outcomes: frozenset[str]
    """The documented outcomes."""
    growth_mib: int = 64
    """Memory that one input may take."""
    quick: int = 2_000
    """Inputs in `make test`: fewer where one takes milliseconds."""
    payload: Payload = VALUE


REASONS = frozenset(reason.value for reason in InvalidReason)
ACCEPTED, IGNORED, REFUSED = "accepted", "ignored", "refused"


def outcome(decode: Callable[[], object]) -> str:
    """``accepted``, or the documented reason of the refusal."""
    try:
        decode()
    except InvalidEvent as error:
        return error.reason.value
    except InvalidFile as error:
        return error.reason.value if error.reason is not None else REFUSED
    return ACCEPTED
