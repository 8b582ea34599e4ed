"""Texts of attackers on a console: printed, in tables, panels and live screens, with colours and without."""

import io

from hypothesis import given
from rich.ansi import re_ansi
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from app.rendering.console import SafeConsole
from tests.unit.outputs.hostile import EVERYTHING, is_harmless, texts


def shown(*things: object, width: int = 10_000) -> str:
    """What a colour console receives for the things, without the sequences of Rich's own styles."""
    written = io.StringIO()
    console = SafeConsole(file=written, force_terminal=True, width=width, color_system="truecolor")
    console.print(*things, soft_wrap=True)
    return re_ansi.sub(
        lambda found: "" if found[0].endswith("m") and found[0][1] == "[" else found[0], written.getvalue()
    )


@given(texts)
def test_a_string_is_one_line(text: str) -> None:
    told = shown(text)

    assert is_harmless(told)
    assert 1 == told.count("\n")


@given(texts, texts)
def test_a_text_is_one_line_and_keeps_its_colours(text: str, other: str) -> None:
    told = shown(Text("begin").append(text, style="bold red").append(other, style="dim").append("end"))

    assert is_harmless(told)
    assert 1 == told.count("\n")
    assert told.startswith("begin")
    assert told.endswith("end\n")


def test_a_style_covers_the_escape_sequence_of_its_character() -> None:
    console = SafeConsole(file=io.StringIO(), force_terminal=True, width=80, color_system="standard")

    segments = list(console.render(Text("\x1b").append("\n", style="red").append("x")))

    assert [(r"\x1b", None), (r"\n", "red"), ("x", None)] == [
        (each.text, each.style.color.name if each.style and each.style.color else None)
        for each in segments[:3]
    ]


@given(texts, texts)
def test_a_cell_is_one_line(text: str, other: str) -> None:
    table = Table(text or "head", "second", title="title", box=None)
    table.add_row(text, Text(other, style="red"), style="dim")
    table.add_row(Text(text, no_wrap=True, overflow="ellipsis"), other)

    told = shown(table)

    assert is_harmless(told)
    assert 4 == told.count("\n")


def test_markup_in_values_is_text() -> None:
    table = Table("[bold]head", title="[red]title")
    table.add_row("[link=http://evil]x[/link]", "[/]", ":bomb:")

    told = shown(table, "[blink]")

    for word in ("[bold]head", "[red]title", "[link=http://evil]x[/link]", "[/]", ":bomb:", "[blink]"):
        assert word in told


def test_what_a_renderable_makes_by_itself_is_printable() -> None:
    class Hostile:
        def __rich_console__(self, *_: object) -> list[Segment]:
            return [Segment(EVERYTHING), Segment("\n")]

    assert is_harmless(shown(Hostile()))
    assert is_harmless(shown(Panel(EVERYTHING, title="\x1b[2J")))


def test_a_live_screen_shows_no_controls_but_its_own() -> None:
    def drawn(text: str) -> str:
        written = io.StringIO()
        console = SafeConsole(file=written, force_terminal=True, width=10_000, highlight=False)
        with Live(console=console, auto_refresh=False) as live:
            live.update(Group(Text(text), text), refresh=True)
        return written.getvalue()

    assert drawn("c").count("\x1b") == drawn(EVERYTHING).count("\x1b")
