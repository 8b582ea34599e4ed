"""Catalog files: definitions of the built-in ones and of refused ones in other combinations, half of them damaged."""

import re
from functools import cache
from random import Random

from app.adapters.catalog_file.reader import BUILT_IN, load_catalog, parsed
from app.catalog.definitions import Catalog
from app.catalog.diff import differences
from app.catalog.digest import catalog_digest
from app.expressions import printer
from app.expressions.checking import checker
from app.expressions.names import Field, Names
from app.rendering.catalog_text import catalog_lines
from tests.fuzz.doors.door import ACCEPTED, REFUSED, WHOLE, Door
from tests.fuzz.mutations import mutated
from tests.unit.catalog.cases import HEAD, refused

_TABLE = re.compile(r"(?=^\[)", re.MULTILINE)


@cache
def _sound() -> tuple[tuple[str, ...], ...]:
    """The tables of each sound catalog."""
    texts = [path.read_text(encoding="utf-8") for path in BUILT_IN.values()]
    return tuple(tuple(filter(str.strip, _TABLE.split(text))) for text in [HEAD, *texts])


@cache
def _refused() -> tuple[str, ...]:
    """Tables with mistakes."""
    return tuple(table for case in refused() for table in _TABLE.split(case.text) if table.startswith("["))


@cache
def _lines() -> dict[str, list[str]]:
    """Lines of all tables by their key."""
    found: dict[str, list[str]] = {}
    for table in (*_refused(), *(table for tables in _sound() for table in tables)):
        for line in table.splitlines():
            found.setdefault(line.partition(" = ")[0], []).append(line)
    return found


def _made(random: Random) -> bytes:
    tables = [table for table in random.choice(_sound()) if "[[" not in table or random.random() < 0.7]
    tables += random.choices(_refused(), k=random.choice((0, 0, 0, 1, 3)))
    lines = "".join(tables).splitlines()
    for _ in range(random.choice((0, 0, 1, 2))):
        at = random.randrange(len(lines))
        lines[at] = random.choice(_lines().get(lines[at].partition(" = ")[0], [""]))
    data = "\n".join(lines).encode()
    others = [random.choice(_refused()).encode(), b"a." * 500, b"[" * 500, b'"""', b"'''", b"inf", b"nan"]
    return mutated(data, random, others) if random.random() < 0.5 else data


def _checked(data: bytes) -> str:
    """The outcome. All that is computed of an accepted catalog can be; what is refused is so on lines of the file."""
    catalog, mistakes = parsed(data)
    if catalog is None:
        last = data.count(b"\n") + 1
        assert mistakes
        assert all(1 <= each.line <= last and each.text("f").isprintable() for each in mistakes), mistakes
        return REFUSED
    assert len(catalog_digest(catalog)) == 16
    assert all(line.isprintable() for line in catalog_lines(catalog))
    assert differences(catalog, catalog) == []
    assert isinstance(differences(_baseline(), catalog), list)
    _read_back(catalog)
    return ACCEPTED


@cache
def _baseline() -> Catalog:
    return load_catalog("baseline")


def _read_back(catalog: Catalog) -> None:
    names = Names(
        tuple(Field(each.name, each.kind, each.values) for each in catalog.fields), catalog.reference_currency
    )
    for feature in catalog.features:
        if feature.where is not None:
            assert checker.condition(printer.text(feature.where), names) == feature.where


CATALOG_DOORS = (
    Door(
        "catalogs", "catalog files", _made, _checked, frozenset({ACCEPTED, REFUSED}), quick=600, payload=WHOLE
    ),
)
