"""Records that somebody with the right to write to a topic may send instead of a sound one."""

import json
from collections.abc import Iterator
from typing import Any

ODD: dict[str, str] = {
    "null": "null",
    "true": "true",
    "a list": "[]",
    "an object": "{}",
    "an empty text": '""',
    "a text": '"x"',
    "300 characters": json.dumps("A" * 300),
    "70,000 characters": json.dumps("A" * 70_000),
    "control characters": json.dumps("\x1b[2J\n\0"),
    "a lone surrogate": '"\\ud800"',
    "a path": '"../../etc"',
    "-1": "-1",
    "1.5": "1.5",
    "2**31": str(2**31),
    "2**61": str(2**61),
    "2**63": str(2**63),
    "2**64": str(2**64),
    "-2**63": str(-(2**63)),
    "-2**63-1": str(-(2**63) - 1),
    "400 digits": "9" * 400,
    "5,000 digits": "9" * 5_000,
    "infinity": "1e999",
}
"""JSON texts of values that a field does not expect."""

DAMAGED: dict[str, bytes | None] = {
    "no value": None,
    "no bytes": b"",
    "not JSON": b"{",
    "null": b"null",
    "a list": b"[]",
    "a number": b"7",
    "a text": b'"x"',
    "an empty object": b"{}",
    "not UTF-8": b'{"\xff":"\xfe"}',
    "deep": b"[" * 100_000,
    "deep and closed": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "zeros": bytes(64),
}
"""Values that are no event at all."""

KEYS: tuple[bytes | None, ...] = (None, b"", b"\xff\xfe", b"\0owner", b"k" * 70_000)


def spoiled(event: dict[str, Any]) -> Iterator[tuple[str, bytes | None]]:
    """Values instead of that of ``event``, each with its name: damaged ones, and the event with one field spoiled or left out."""
    yield from DAMAGED.items()
    for path in _paths(event):
        name = ".".join(map(str, path))
        yield f"without {name}", json.dumps(_without(event, path)).encode()
        for what, text in ODD.items():
            yield f"{name}: {what}", _with(event, path, text)


def _paths(value: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*before, key)
        if isinstance(inner, dict | list):
            yield from _paths(inner, (*before, key))


def _with(event: dict[str, Any], path: tuple[str | int, ...], text: str) -> bytes:
    mark = "\0here"
    changed = json.loads(json.dumps(event))
    _holder(changed, path)[path[-1]] = mark
    return json.dumps(changed).replace(json.dumps(mark), text).encode("utf-8", "surrogatepass")


def _without(event: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(event))
    del _holder(changed, path)[path[-1]]
    return changed


def _holder(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path[:-1]:
        value = value[key]
    return value
