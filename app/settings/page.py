"""Generates ``docs/settings.md`` from the groups of settings: ``python -m app.settings.page > docs/settings.md``."""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator

import msgspec
from msgspec.structs import FieldInfo, fields

from app.settings.environment import groups_of
from app.settings.groups import Settings
from app.settings.kinds import PREFIX, kind_of, variable

_HEAD = """# Settings

Generated from `app/settings` by `python -m app.settings.page > docs/settings.md`; do not edit this page.

Every setting is an environment variable, `{prefix}<GROUP>_<FIELD>`. All have a default, so a worker starts with
none of them set. An unknown name with that prefix, a value of the wrong type or outside its bounds, and settings that
contradict each other end a program at its start, with a message that names the setting and the remedy. Settings are
read once, at the start. `fraudstream settings` prints the current values.
"""

_UNITS = {
    "bytes": "bytes",
    "decisions": "decisions",
    "entries": "entries",
    "events": "records",
    "failures": "reads",
    "flight": "chunks",
    "headers": "headers",
    "hours": "hours",
    "ms": "milliseconds",
    "partitions": "partitions",
    "records": "records",
    "replication_factor": "replicas",
    "reports": "reports",
    "nodes": "nodes",
    "rows": "rows",
    "seconds": "seconds",
}
"""Unit of a number, by the last word of its field's name."""

_PAGE_OF_DOCS = re.compile(r"\bdocs/([\w./-]+\.md)")


def markdown() -> str:
    """Return the page ``docs/settings.md``."""
    parts = [_HEAD.format(prefix=PREFIX)]
    for name, group in groups_of(Settings):
        parts.append(f"\n## {name.upper()}\n\n{_prose(group.__doc__ or '')}\n\n")
        parts.append(
            "| setting | type | unit | default | bounds | meaning |\n| --- | --- | --- | --- | --- | --- |\n"
        )
        parts.extend(_rows(name, group))
    return "".join(parts)


def unit_of(field: str) -> str:
    """Return the unit that the name of a number ends with, "" for none.

    >>> unit_of("stall_seconds"), unit_of("chunks_in_flight"), unit_of("dir")
    ('seconds', 'chunks', '')
    """
    return _UNITS.get(field, _UNITS.get(field.rpartition("_")[2], ""))


def docstrings(group: type[msgspec.Struct]) -> dict[str, str]:
    """Return the docstring of each field of a group that has one; Python does not keep them, so the source is read."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(group))).body
    found: dict[str, str] = {}
    field = ""
    for statement in ast.iter_child_nodes(definition):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)):
                field = name
            case ast.Expr(value=ast.Constant(value=str(text))) if field:
                found[field] = inspect.cleandoc(text)
                field = ""
            case _:
                field = ""
    return found


def _rows(name: str, group: type[msgspec.Struct]) -> Iterator[str]:
    described = docstrings(group)
    for field in fields(group):
        kind, bounds = kind_of(field.type)
        cells = (
            f"`{variable(name, field.name)}`",
            kind,
            unit_of(field.name) if kind in {"integer", "number"} else "",
            _default(field),
            bounds,
            _prose(described.get(field.name, "")),
        )
        yield f"| {' | '.join(cells)} |\n"


def _default(field: FieldInfo) -> str:
    return "empty" if field.default == "" else f"`{field.default}`"


def _prose(text: str) -> str:
    """Return a docstring on one line, with links instead of the paths of pages."""
    return _PAGE_OF_DOCS.sub(r"[docs/\1](\1)", " ".join(text.split()))


if __name__ == "__main__":
    sys.stdout.write(markdown())
