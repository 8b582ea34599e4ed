"""Catalogs that are refused, with all that is said of them: those of ``refused.toml``, and those beyond a bound."""

import tomllib
from pathlib import Path
from typing import NamedTuple

from app.adapters.catalog_file.reader import parsed

HEAD = """[catalog]
name = "test"
reference_currency = "EUR"
[fields]
payee_id = { type = "identifier" }
entry_mode = { type = "category", values = ["chip", "keyed"] }
trust = { type = "number", minimum = 0, maximum = 1, decimals = 2 }
distance = { type = "number" }
balance = { type = "money" }
strong_auth = { type = "boolean" }
opened_at = { type = "time" }
[entities]
terminal.key = "terminal_id"
payee.key = ["customer_id", "payee_id"]
[[features]]
name = "customer_count_1h"
entity = "customer"
function = "count"
window = "1h"
"""


class Case(NamedTuple):
    text: str
    said: tuple[str, ...]
    whole: bool = False
    """Whether the text is a file of its own, without HEAD before it."""

    @property
    def found(self) -> tuple[str, ...]:
        """What is said: line, counted from the first of the text, key, message and remedy."""
        first = 0 if self.whole else HEAD.count("\n")
        mistakes = parsed(((not self.whole) * HEAD + self.text).encode()).mistakes
        return tuple(each._replace(line=each.line - first).text("").removeprefix(":") for each in mistakes)


def refused() -> list[Case]:
    file = tomllib.loads(Path(__file__).with_name("refused.toml").read_text(encoding="utf-8"))
    return [Case(case["text"], tuple(case["said"]), case.get("whole", False)) for case in file["refused"]]


def feature(name: str, keys: str) -> str:
    return f'[[features]]\nname = "{name}"\n{keys}\n'


def count(number: int, where: str) -> str:
    return feature(f"f{number}", f'entity = "customer"\nfunction = "count"\nwindow = "1h"\nwhere = "{where}"')


_VALUES = ", ".join(f'"{number}"' for number in range(201))
BEYOND = (
    Case("".join(f'[fields.a{n}]\ntype = "boolean"\n' for n in range(58)), ("-15: fields: 65 fields; at most 64 can be declared",)),
    Case(
        "".join(f'[entities.e{n}]\nkey = "{key}"\n' for n, key in enumerate(("device_id", "mcc", "country", "channel", "currency", "card_token"))),
        ("-7: entities: 9 entities; at most 8 are allowed",),
    ),
    Case(
        "".join(feature(f"f{n}", 'entity = "transaction"\nfunction = "weekend"') for n in range(256)),
        ("-4: features: 257 features; a catalog has 1 to 256",),
    ),
    Case(
        "".join(count(n, f"amount > {n} EUR") for n in range(63)),
        ("-4: features: 63 different filters; at most 62 are allowed",),
    ),
    Case(
        f'[fields.a]\ntype = "category"\nvalues = [{_VALUES}]\n',
        ("3: fields.a.values: 201 values; a category has at most 200; declare an identifier or a text",),
    ),
    Case(count(1, "not " * 41 + "strong_auth"), ("6: features[1].where: column 161: nested deeper than 40 levels",)),
    Case(
        count(1, "a" * 4_001),
        ("6: features[1].where: column 1: the expression has 4001 characters; at most 4000 are allowed",),
    ),
)  # fmt: skip
