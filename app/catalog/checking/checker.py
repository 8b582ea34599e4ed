"""From parsed data to a checked catalog, or all problems that there are. Start with ``checked``."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.catalog.checking.entities import check_entities
from app.catalog.checking.features import check_features
from app.catalog.checking.fields import fields
from app.catalog.checking.known import Known
from app.catalog.definitions import Catalog
from app.checking.problems import Problem, shown
from app.checking.table import Table
from app.domain.currencies import CURRENCIES

MOST_NAME_CHARACTERS = 64


class Checked(NamedTuple):
    """A catalog, or what is wrong."""

    catalog: Catalog | None
    problems: tuple[Problem, ...]


def checked(data: Mapping[str, Any]) -> Checked:
    """Check parsed data, as TOML or JSON gives it. All problems are found at once; none is a consequence of another."""
    problems: list[Problem] = []
    file = Table(data, (), problems)
    file.expect("catalog", "fields", "entities", "features")
    name, currency = _head(file)
    known = Known(currency, fields(file), {}, {})
    check_entities(file, known)
    check_features(file, known)
    return Checked(None if problems else _catalog(name, known), tuple(problems))


def _head(file: Table) -> tuple[str, str]:
    """The name and the reference currency; empty where they have a problem."""
    table = file.table("catalog")
    if table is None:
        return "", ""
    table.expect("name", "reference_currency")
    name = table.required("name", 'name = "cards"')
    if name is not None and (not 1 <= len(name) <= MOST_NAME_CHARACTERS or not name.isprintable()):
        table.refuse(f"a name has 1 to {MOST_NAME_CHARACTERS} printable characters", at="name")
    return name or "", _currency(table)


def _currency(table: Table) -> str:
    code = table.required("reference_currency", 'reference_currency = "EUR"')
    if code in CURRENCIES:
        return code
    if code is not None:
        remedy = f"write {code.upper()}" if code.upper() in CURRENCIES else "write a code as in EUR"
        table.refuse(f"'{shown(code)}' is no currency of ISO 4217", remedy, at="reference_currency")
    return ""


def _catalog(name: str, known: Known) -> Catalog:
    return Catalog(
        name=name,
        reference_currency=known.currency,
        fields=tuple(filter(None, known.fields.values())),
        entities=tuple(filter(None, known.entities.values())),
        features=tuple(filter(None, known.features.values())),
    )
