"""Progress bar of long commands; drawn on a console only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.rendering.console import SafeConsole


@contextmanager
def rows_progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the number of rows so far. Draws on standard error."""
    console = SafeConsole(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.update(task, completed=count)
