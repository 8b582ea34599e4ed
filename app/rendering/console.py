"""A console for tables, colours and live screens on which every text is data.

Rich executes markup such as ``[link=...]`` in strings, and passes control characters on. Here both are off for every
string and every Text, wherever it is: printed, in a cell, in a title.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Span, Text

from app.domain.safe_text import escaped, one_line, without_credentials


class SafeConsole(Console):
    """Renders each string and each Text as one line without control characters. Several lines are several texts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """The string as a Text, without reading markup or emoji codes in it."""
        safe = one_line(without_credentials(text))
        return super().render_str(safe, **options | {"markup": False, "emoji": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As Rich does. The last guard is for renderables that make text by themselves, such as the title of a panel."""
        safe = _one_line(renderable) if isinstance(renderable, Text) else renderable
        for segment in super().render(safe, options):
            yield segment if segment.control or segment.text.isprintable() else _printable(segment)


def _one_line(text: Text) -> Text:
    """The text with its styles, whose positions move where a character becomes an escape sequence."""
    if text.plain.isprintable():
        return text
    parts = list(map(escaped, text.plain))
    places = list(accumulate(map(len, parts), initial=0))
    safe = text.copy()
    safe.plain = "".join(parts)
    safe.spans = list(_moved(text.spans, places))
    return safe


def _moved(spans: list[Span], places: list[int]) -> Iterator[Span]:
    last = len(places) - 1
    for start, end, style in spans:
        yield Span(places[min(start, last)], places[min(end, last)], style)


def _printable(segment: Segment) -> Segment:
    """Rich itself separates lines by segments and by line breaks at the end of a segment."""
    return Segment("\n".join(map(one_line, segment.text.split("\n"))), segment.style)
