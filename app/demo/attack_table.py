"""Attacks as lines of a table: when, what, how much, how often, who, and why in words, for any width of a console."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from app.domain.clock import utc_text
from app.rendering.attacks import Attack
from app.rendering.decision_text import event_time, money, times
from app.rendering.palette import STYLES
from app.rendering.reason_words import phrases

WIDE = 120
"""Columns from which a line has room for the year, the seconds, the score and wider gaps."""
LEAST_REASONS = 20
_RIGHT = {"score", "amount", "alerts", "x"}
_WORST = "outcome"


def attack_table(attacks: Sequence[Attack], width: int) -> Table:
    """Return one line for each attack. No line is longer than ``width``, and its reasons are whole phrases."""
    wide = width >= WIDE
    gap = 2 if wide else 1
    titles, rows = _columns(wide=wide), [_cells(attack, wide=wide) for attack in attacks]
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, gap, 0, 0))
    for title in titles:
        table.add_column(title, no_wrap=True, justify="right" if title in _RIGHT else "left")
    table.add_column("why", no_wrap=True)
    used = sum(max(map(len, column)) + gap for column in zip(titles, *rows, strict=True))
    for attack, cells in zip(attacks, rows, strict=True):
        room = max(LEAST_REASONS, width - used)
        why = phrases(attack.worst.reasons, room)
        style = STYLES[attack.worst.outcome]
        coloured = [
            Text(cell, style=style if title == _WORST else "")
            for title, cell in zip(titles, cells, strict=True)
        ]
        table.add_row(*coloured, why)
    return table


def _columns(*, wide: bool) -> list[str]:
    return ["time, UTC", _WORST, *(["score"] if wide else []), "amount", "alerts" if wide else "x", "of"]


def _cells(attack: Attack, *, wide: bool) -> list[str]:
    worst = attack.worst
    when = event_time(attack.latest_time) if wide else utc_text(attack.latest_time, "%m-%d %H:%M")
    score = [f"{worst.score:.4f}"] if wide else []
    return [when, str(worst.outcome), *score, money(attack), times(attack.alerts), attack.target.value]
