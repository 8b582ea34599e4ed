"""How what was published differs from what comes out now: field by field, to the bit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec


class Difference(msgspec.Struct, frozen=True):
    """One field, as it was published and as it is now."""

    field: str
    recorded: Any
    rebuilt: Any

    def __str__(self) -> str:
        return f"{self.field}: recorded {self.recorded!r}, rebuilt {self.rebuilt!r}"


def differences(recorded: Any, rebuilt: Any, field: str) -> Iterator[Difference]:
    """Every leaf in which two trees of JSON's values differ. Numbers are equal to the bit or not at all; what one side
    lacks is None there.

    >>> list(differences({"score": 0.5, "reasons": []}, {"score": 0.75, "reasons": []}, "alert"))
    [Difference(field='alert.score', recorded=0.5, rebuilt=0.75)]
    """
    if isinstance(recorded, Mapping) and isinstance(rebuilt, Mapping):
        for name in dict.fromkeys([*recorded, *rebuilt]):
            yield from differences(recorded.get(name), rebuilt.get(name), f"{field}.{name}")
    elif _is_list(recorded) and _is_list(rebuilt) and len(recorded) == len(rebuilt):
        for place, (before, now) in enumerate(zip(recorded, rebuilt, strict=True)):
            yield from differences(before, now, f"{field}[{place}]")
    elif recorded != rebuilt:
        yield Difference(field, recorded, rebuilt)


def feature_differences(
    recorded: Sequence[float | None], rebuilt: Sequence[float | None], names: Sequence[str]
) -> list[Difference]:
    """The features whose values differ; None for missing."""
    return [
        Difference(name, before, now)
        for name, before, now in zip(names, recorded, rebuilt, strict=True)
        if before != now
    ]


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
