"""Shows the demo: a live screen on a console, plain lines elsewhere."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from app.demo import progress
from app.demo.attack_table import attack_table
from app.demo.snapshot import PHASES, Figures, Snapshot
from app.domain.outcomes.outcome import Outcome
from app.domain.words import duration
from app.rendering.console import SafeConsole
from app.rendering.decision_text import attack_line
from app.rendering.palette import STYLES

ROWS_BESIDE_ATTACKS = 10
PROGRESS_ROWS = 2
BAR_WIDTH = 30


class Screen(Protocol):
    """Draws the snapshot; the caller calls ``draw`` every ``period_seconds``."""

    period_seconds: float

    def draw(self, snapshot: Snapshot) -> None: ...


@contextmanager
def waiting(console: SafeConsole, text: str) -> Iterator[None]:
    """Show the text and the elapsed seconds while the work runs; a console removes the line afterwards. Other outputs get the text once."""
    if not console.is_terminal:
        console.print(text, highlight=False)
        yield
        return
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as shown:
        shown.add_task(text, total=None)
        yield


@contextmanager
def open_screen(console: SafeConsole) -> Iterator[Screen]:
    """Open a live screen on a console, plain lines elsewhere."""
    if not console.is_terminal:
        yield PlainScreen(console)
        return
    with Live(console=console, auto_refresh=False, screen=False) as live:
        yield LiveScreen(live)


class PlainScreen:
    """Prints a line of progress every few seconds, followed by the attacks with the newest alerts."""

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
        figures, far = snapshot.figures(), snapshot.progress()
        done = "" if far is None else f" {_words(far)},"
        say(
            f"[{snapshot.seconds:5.1f} s] {snapshot.phase}:{done} {figures.events_per_s:,.0f} events/s, lag {figures.lag:,}, "
            f"latency {figures.latency}, produced {figures.produced:,}, decided {figures.decided:,}, "
            f"dead letters {figures.dead_letters}, review {figures.reviews:,}, decline {figures.declines:,}"
        )
        for attack in snapshot.changed_attacks():
            self._console.print(attack_line(attack), soft_wrap=True, highlight=False)

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False)


class LiveScreen:
    """Draws the figures, and the attacks below them, the newest first."""

    period_seconds = 0.5
    """Drawing takes about 10 ms, by which it delays the events being sent."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def draw(self, snapshot: Snapshot) -> None:
        console = self._live.console
        self._live.update(picture(snapshot, console.width, console.height), refresh=True)


def picture(snapshot: Snapshot, width: int, height: int) -> RenderableType:
    """Return the screen, with as many attacks as fit into ``height`` lines of ``width`` characters."""
    far = snapshot.progress()
    hints = [line for hint in snapshot.hints for line in _continued(f"try: {hint}", width)]
    beside = ROWS_BESIDE_ATTACKS + (PROGRESS_ROWS if far else 0) + len(snapshot.notes) + len(hints)
    attacks = snapshot.reconciliation.attacks.newest(max(3, height - beside))
    return Group(
        Panel(
            Group(_counters(snapshot.figures(), snapshot.reconciliation.attacks.count), *_bars(far)),
            title=f"fraudstream · {PHASES[snapshot.phase]} · {snapshot.seconds:,.0f} s",
        ),
        *([attack_table(attacks, width)] if attacks else []),
        *(Text(note, style="cyan") for note in snapshot.notes),
        *(Text(line, style="dim", no_wrap=True) for line in hints),
    )


def _continued(command: str, width: int) -> list[str]:
    """Return a command in lines that a shell joins again, so that a narrow console does not cut it."""
    indent = " " * len("try: ")
    lines = textwrap.wrap(
        command, width - 2, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [command] if len(command) <= width else [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def _bars(far: progress.Progress | None) -> Iterator[RenderableType]:
    if far is None:
        return
    table = Table.grid(padding=(0, 1))
    rest = _left(far)
    for name, share, said in (("sent", far.sent, ""), ("decided", far.decided, rest)):
        bar = ProgressBar(
            total=1.0, completed=share, width=BAR_WIDTH, complete_style="cyan", finished_style="cyan"
        )
        table.add_row(f"history {name}", bar, f"{share:4.0%}".replace("%", " %"), said)
    yield table


def _words(far: progress.Progress) -> str:
    shares = f"{far.sent:.0%} sent, {far.decided:.0%} decided".replace("%", " %")
    return ", ".join(filter(None, [shares, _left(far)]))


def _left(far: progress.Progress) -> str:
    return "" if far.seconds_left is None else f"about {duration(max(1, round(far.seconds_left)))} left"


def _counters(figures: Figures, attacks: int) -> Table:
    table = Table.grid(padding=(0, 3), expand=True)
    table.add_row(
        Text(f"{figures.events_per_s:,.0f}", style="bold").append(" events/s", style="not bold"),
        f"lag {figures.lag:,}",
        f"latency {figures.latency}",
    )
    table.add_row(
        f"produced {figures.produced:,}",
        f"decided {figures.decided:,}",
        f"dead letters {figures.dead_letters:,}, attacks {attacks:,}",
    )
    approved = figures.decided - figures.reviews - figures.declines
    table.add_row(
        Text(f"approve {approved:,}", style=STYLES[Outcome.APPROVE]),
        Text(f"review {figures.reviews:,}", style=STYLES[Outcome.REVIEW]),
        Text(f"decline {figures.declines:,}", style=STYLES[Outcome.DECLINE]),
    )
    return table
