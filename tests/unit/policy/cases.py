"""Policy files that are refused, with all that is said of them: those of ``refused.toml``, and those beyond a bound."""

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from app.adapters.catalog_file.reader import load_catalog
from app.adapters.catalog_file.reader import parsed as parsed_catalog
from app.adapters.policy_file.reader import Read
from app.adapters.policy_file.reader import parsed as parsed_policy
from app.catalog.definitions import Catalog

CATALOG = """[catalog]
name = "test"
reference_currency = "EUR"
[fields]
payee_id = { type = "identifier" }
entry_mode = { type = "category", values = ["chip", "keyed"] }
trust = { type = "number" }
strong_auth = { type = "boolean" }
[[features]]
name = "customer_count_1h"
entity = "customer"
function = "count"
window = "1h"
"""
HEAD = """[policy]
name = "test"
version = "1"
[lists]
bad_devices = { kind = "identifier" }
bad_countries = { kind = "text" }
"""
RULE = """[[rules]]
id = "r{number}"
when = "{when}"
then = "review"
reason = "R"
text = "t"
owner = "o"
expires = 2027-06-30
max_hit_rate = 0.01
"""


@cache
def catalog() -> Catalog:
    found = parsed_catalog(CATALOG.encode()).catalog
    assert found is not None
    return found


@cache
def baseline() -> Catalog:
    return load_catalog("baseline")


def parsed(text: str) -> Read:
    return parsed_policy(text.encode(), catalog())


class Case(NamedTuple):
    text: str
    said: tuple[str, ...]
    whole: bool = False
    """Whether the text is a file of its own, without HEAD before it."""

    @property
    def found(self) -> tuple[str, ...]:
        """What is said: line, counted from the first of the text, column, key, message and remedy."""
        first = 0 if self.whole else HEAD.count("\n")
        mistakes = parsed((not self.whole) * HEAD + self.text).mistakes
        return tuple(
            each._replace(line=each.line - first).text_with_column("").removeprefix(":") for each in mistakes
        )


def refused() -> list[Case]:
    file = tomllib.loads(Path(__file__).with_name("refused.toml").read_text(encoding="utf-8"))
    return [Case(case["text"], tuple(case["said"]), case.get("whole", False)) for case in file["refused"]]


def rule(number: int = 1, when: str = "score >= 0.5", more: str = "") -> str:
    return RULE.format(number=number, when=when) + more
