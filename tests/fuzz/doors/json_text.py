"""JSON as producers write it, and as no one should: values of every type, names twice, deep nesting, odd characters."""

import json
from collections.abc import Mapping
from random import Random

from tests.fuzz.mutations import mutated

ODD_TEXTS = (
    *("", " ", "007", "x" * 64, "x" * 65, "\U0001f4b3" * 64, "\u0000", "a\tb", "\u202e", "e\u0301", "4111111111111111"),
    *("NaN", "null", "-0", "1e400", "9" * 70, "12.50", "1,250", "2026-01-01T00:00:00Z", "9999-12-31T23:59:60.999999999"),
    *("0000-00-00", "AAAA", "MTI1MA==", "====", "c", "u", "d", "true", "EUR", "XXX", "eur", "\ufeffid", "\ufffd"),
)  # fmt: skip
ODD_JSON = (
    *("null", "true", "false", "0", "-0", "-0.0", "-1", "1.5", "1e2", "1E400", "-1e-400", "1e-99999999999", "1e99999999999"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551616", "1" + "0" * 400, "0." + "3" * 400),
    *("[]", "{}", "[[]]", '{"a":{}}', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\ud83d\\udcb3"', '"\\x"', "NaN"),
    *("Infinity", "01", "+1", ".5", "1.", "'a'", '"\x01"', "1767225600000", "1767225600", '{"scale":2,"value":"BOI="}'),
    *('{"scale":-99999,"value":"BOI="}', '{"scale":1e3,"value":1}', "[" * 300 + "]" * 300, "[" * 100 + "]" * 100),
)  # fmt: skip


def text(fields: Mapping[str, object], random: Random, extra: tuple[str, ...] = ()) -> str:
    """An object of ``fields`` in which some are missing, twice, unknown or of another value, written in one of many ways."""
    items = [(name, json.dumps(value)) for name, value in fields.items()]
    for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
        _change(items, random, extra)
    if random.random() < 0.1:
        random.shuffle(items)
    space = random.choice(("", "", " ", "\n\t"))
    return "{" + f",{space}".join(f"{json.dumps(name)}:{space}{value}" for name, value in items) + "}"


def _change(items: list[tuple[str, str]], random: Random, extra: tuple[str, ...]) -> None:
    at, kind = random.randrange(len(items) or 1), random.random()
    if items and kind < 0.6:
        items[at] = (items[at][0], odd(random))
    elif items and kind < 0.75:
        del items[at]
    elif items and kind < 0.85:
        items.append((items[at][0], odd(random)))
    else:
        items.append((random.choice((*extra, *ODD_TEXTS)), odd(random)))


def odd(random: Random) -> str:
    """A JSON value, or nearly one."""
    return json.dumps(random.choice(ODD_TEXTS)) if random.random() < 0.4 else random.choice(ODD_JSON)


def document(fields: Mapping[str, object], random: Random, extra: tuple[str, ...] = ()) -> bytes:
    """A structured object; half of them damaged as bytes, too."""
    made = text(fields, random, extra).encode("utf-8", "surrogatepass")
    return made if random.random() < 0.5 else mutated(made, random, [made, *_SEEDS])


_SEEDS = (b"null", b"[]", b'"text"', b"\xff\xfe{\0}\0", b'{"a":' * 50, b"[" * 400, b'{"payload":{"op":"c"}}')
