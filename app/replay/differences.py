"""Differences between a published record and a recomputed one, field by field, to the bit."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec


class Difference(msgspec.Struct, frozen=True):
    """One field with its published and its recomputed value."""

    field: str
    recorded: Any
    rebuilt: Any

    def __str__(self) -> str:
        return f"{self.field}: recorded {_as_json(self.recorded)}, rebuilt {_as_json(self.rebuilt)}"


def differences(recorded: Any, rebuilt: Any, field: str) -> Iterator[Difference]:
    """Yield every leaf in which two JSON values differ. Numbers must be equal to the bit; a missing field counts as None.

    >>> list(differences({"score": 0.5, "reasons": []}, {"score": 0.75, "reasons": []}, "alert"))
    [Difference(field='alert.score', recorded=0.5, rebuilt=0.75)]
    """
    if isinstance(recorded, Mapping) and isinstance(rebuilt, Mapping):
        for name in dict.fromkeys([*recorded, *rebuilt]):
            yield from differences(recorded.get(name), rebuilt.get(name), f"{field}.{name}")
    elif _is_list(recorded) and _is_list(rebuilt) and len(recorded) == len(rebuilt):
        for index, (before, now) in enumerate(zip(recorded, rebuilt, strict=True)):
            yield from differences(before, now, f"{field}[{index}]")
    elif recorded != rebuilt:
        yield Difference(field, recorded, rebuilt)


def feature_differences(
    recorded: Sequence[float | None], rebuilt: Sequence[float | None], names: Sequence[str]
) -> list[Difference]:
    """Return the features whose values differ; None stands for a missing value."""
    return [
        Difference(name, before, now)
        for name, before, now in zip(names, recorded, rebuilt, strict=True)
        if before != now
    ]


def _as_json(value: Any) -> str:
    # The sanitiser of what is printed replaces lone surrogates, which msgspec refuses to encode.
    return json.dumps(value, ensure_ascii=False)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
