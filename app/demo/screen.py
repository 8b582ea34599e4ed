"""Shows the demo: a live screen on a console, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.demo.snapshot import PHASES, Figures, Snapshot
from app.domain.decision import Alert, Outcome
from app.domain.money import display
from app.rendering.console import SafeConsole
from app.rendering.decision_text import STYLES, as_line, event_time, short

ROWS_BESIDE_ALERTS = 14


class Screen(Protocol):
    """Draws the snapshot; the caller calls ``draw`` every ``period_seconds``."""

    period_seconds: float

    def draw(self, snapshot: Snapshot) -> None: ...


@contextmanager
def open_screen(console: SafeConsole) -> Iterator[Screen]:
    """Open a live screen on a console, plain lines elsewhere."""
    if not console.is_terminal:
        yield PlainScreen(console)
        return
    with Live(console=console, auto_refresh=False, screen=False) as live:
        yield LiveScreen(live)


class PlainScreen:
    """Prints a line of progress every few seconds, followed by the newest alerts."""

    period_seconds = 3.0

    def __init__(self, console: SafeConsole) -> None:
        self._console = console
        self._hints_shown = False

    def draw(self, snapshot: Snapshot) -> None:
        say = self._say
        while snapshot.notes:
            say(snapshot.notes.popleft())
        if snapshot.phase == "live" and not self._hints_shown:
            self._hints_shown = True
            for hint in snapshot.hints:
                say(f"try: {hint}")
        figures = snapshot.figures()
        say(
            f"[{snapshot.seconds:5.1f} s] {snapshot.phase}: {figures.events_per_s:,.0f} events/s, lag {figures.lag:,}, "
            f"latency {figures.latency}, produced {figures.produced:,}, decided {figures.decided:,}, "
            f"dead letters {figures.dead_letters}, review {figures.reviews:,}, decline {figures.declines:,}"
        )
        while snapshot.new_alerts:
            self._console.print(as_line(snapshot.new_alerts.popleft()), soft_wrap=True, highlight=False)

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False)


class LiveScreen:
    """Draws the figures, and the alerts below them, the newest first."""

    period_seconds = 0.5
    """Drawing takes about 10 ms, by which it delays the events being sent."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def draw(self, snapshot: Snapshot) -> None:
        self._live.update(picture(snapshot, self._live.console.height), refresh=True)


def picture(snapshot: Snapshot, height: int) -> RenderableType:
    """Return the screen, with as many alerts as fit into ``height`` lines."""
    alert_rows = max(3, height - ROWS_BESIDE_ALERTS - len(snapshot.notes) - len(snapshot.hints))
    alerts = list(snapshot.reconciliation.newest_alerts)[-alert_rows:][::-1]
    return Group(
        Panel(
            _counters(snapshot.figures()),
            title=f"fraudstream · {PHASES[snapshot.phase]} · {snapshot.seconds:,.0f} s",
        ),
        _alerts(alerts),
        *(Text(note, style="cyan") for note in snapshot.notes),
        *(Text(f"try: {hint}", style="dim", no_wrap=True) for hint in snapshot.hints),
    )


def _counters(figures: Figures) -> Table:
    table = Table.grid(padding=(0, 3), expand=True)
    table.add_row(
        Text(f"{figures.events_per_s:,.0f}", style="bold").append(" events/s", style="not bold"),
        f"lag {figures.lag:,}",
        f"latency {figures.latency}",
    )
    table.add_row(
        f"produced {figures.produced:,}",
        f"decided {figures.decided:,}",
        f"dead letters {figures.dead_letters:,}",
    )
    approved = figures.decided - figures.reviews - figures.declines
    table.add_row(
        Text(f"approve {approved:,}", style=STYLES[Outcome.APPROVE]),
        Text(f"review {figures.reviews:,}", style=STYLES[Outcome.REVIEW]),
        Text(f"decline {figures.declines:,}", style=STYLES[Outcome.DECLINE]),
    )
    return table


def _alerts(alerts: list[Alert]) -> Table:
    table = Table(expand=True, box=None, header_style="dim")
    for title in ("event time", "outcome", "score", "amount", "customer"):
        table.add_column(title, no_wrap=True, justify="right" if title in {"score", "amount"} else "left")
    table.add_column("reasons", no_wrap=True, ratio=1)
    for alert in alerts:
        amount = display(alert.transaction.amount_minor, alert.transaction.currency)
        reasons = "; ".join(map(short, alert.reasons))
        outcome, score = str(alert.outcome), f"{alert.score:.4f}"
        cells = (event_time(alert.event_time), outcome, score, amount, alert.customer_id)
        table.add_row(*cells, Text(reasons, overflow="ellipsis"), style=STYLES[alert.outcome])
    return table
