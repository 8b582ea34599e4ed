"""The page of settings is generated, so it cannot become stale."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta
from msgspec.structs import fields

from app.settings import Settings, page, setting_names
from app.settings.environment import groups_of
from app.settings.page import docstrings, markdown, unit_of

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group of one example of each kind; docs/operate/health.md."""

    wait_seconds: Annotated[float, Meta(gt=0)] = 1.5
    """First line,
    second line."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    name: Annotated[str, Meta(min_length=1, max_length=8)] = "x"
    """docs/guarantees.md"""
    mode: Literal["b", "a"] = "b"
    """The mode."""
    rows: str = ""
    """A text has no unit."""


def test_the_committed_page_is_the_generated_one() -> None:
    """Generate it with `python -m app.settings.page > docs/settings.md`."""
    assert PAGE.read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize("name", [name for name, _ in setting_names()])
def test_every_setting_is_on_the_page(name: str) -> None:
    assert markdown().count(f"| `{name}` |") == 1


@pytest.mark.parametrize(("name", "group"), list(groups_of(Settings)))
def test_every_setting_has_a_docstring(name: str, group: type[msgspec.Struct]) -> None:
    assert {field.name for field in fields(group)} == docstrings(group).keys(), name
    assert (group.__doc__ or "").rstrip().endswith((".", ".md"))


def test_a_row_shows_type_unit_default_bounds_and_docstring() -> None:
    assert [
        "| `FRAUDSTREAM_G_WAIT_SECONDS` | number | seconds | `1.5` | above 0 | First line, second line. |\n",
        "| `FRAUDSTREAM_G_PORT` | integer |  | `0` | at least 0, at most 65535 |  |\n",
        "| `FRAUDSTREAM_G_NAME` | text |  | `x` | at least 1, at most 8 characters | [docs/guarantees.md](guarantees.md) |\n",
        "| `FRAUDSTREAM_G_MODE` | one of `a`, `b` |  | `b` |  | The mode. |\n",
        "| `FRAUDSTREAM_G_ROWS` | text |  | empty |  | A text has no unit. |\n",
    ] == list(page._rows("g", _Group))


@pytest.mark.parametrize(
    ("field", "unit"),
    [
        ("read_deadline_seconds", "seconds"),
        ("drift_decisions", "decisions"),
        ("core", ""),
        ("metrics_port", ""),
    ],
)
def test_the_unit_is_the_end_of_the_name(field: str, unit: str) -> None:
    assert unit == unit_of(field)
