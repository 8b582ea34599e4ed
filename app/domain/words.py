"""Kinds of errors and durations in words, for texts that people read."""

import re
from collections.abc import Iterator

_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def named(error: BaseException | type[BaseException]) -> str:
    """The kind of an error, without the spelling of a class.

    >>> named(FileNotFoundError()), named(OSError)
    ('file not found error', 'OS error')
    """
    kind = error if isinstance(error, type) else type(error)
    words = _BETWEEN_WORDS.split(kind.__name__)
    return " ".join(word if len(word) > 1 and word.isupper() else word.lower() for word in words)


def duration(seconds: float) -> str:
    """A duration by its two largest units. Below a minute: seconds, with a decimal below ten.

    >>> duration(3024000), duration(4000), duration(75.4), duration(9.96), duration(0.25)
    ('35 d', '1 h 6 min', '1 min 15 s', '10 s', '0.2 s')
    """
    if abs(seconds) < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(abs(seconds))
    return ("-" if seconds < 0 else "") + " ".join(list(_parts(whole))[:2])


def _parts(seconds: int) -> Iterator[str]:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            yield f"{count} {unit}"
