"""Progress of long work: a bar on a console, one plain line elsewhere."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from rich.progress import track

from app.rendering.console import SafeConsole

PARALLEL = 4

Item = TypeVar("Item")


def each_done(work: Callable[[Item], object], items: Sequence[Item], title: str) -> None:
    """Do the work for each item, ``PARALLEL`` at a time. The first error cancels the rest and is raised."""
    console = SafeConsole(stderr=True)
    if not console.is_terminal:
        console.print(title, soft_wrap=True, highlight=False)
    with ThreadPoolExecutor(PARALLEL) as executor:
        tasks = [executor.submit(work, item) for item in items]
        try:
            finished = as_completed(tasks)
            for task in track(finished, title, len(tasks), console=console, disable=not console.is_terminal):
                task.result()
        finally:
            executor.shutdown(cancel_futures=True)
