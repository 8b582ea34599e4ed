"""Errors as text for a log, without values of records: the text of an unknown error may quote what it failed at.

>>> named(ValueError("4111111111111111")), named(FileNotFoundError(2, "No such file or directory"))
('ValueError', 'FileNotFoundError: [Errno 2] No such file or directory')
"""

import traceback
from collections.abc import Iterator

from aiokafka.errors import KafkaError

from app.errors import FraudstreamError

_QUOTES_NOTHING = (FraudstreamError, KafkaError, OSError)
"""Their texts name settings, topics, files and error codes."""


def named(error: BaseException) -> str:
    """The kind of an error, with its text where that quotes no record."""
    kind = type(error).__name__
    return f"{kind}: {error}" if isinstance(error, _QUOTES_NOTHING) and str(error) else kind


def where(error: BaseException) -> str:
    """The line that raised an error; empty for one that was not raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""


def stack(error: BaseException) -> str:
    """The stack of an error and of its causes, the first cause first, as Python prints it, without unknown texts."""
    return "\n".join(
        "".join(traceback.format_tb(each.__traceback__)) + named(each)
        for each in reversed(list(_chain(error)))
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
