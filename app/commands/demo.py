"""``fraudstream demo``: everything from nothing, and an account of it at the end."""

import time
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DIRECTORY = Path(".fraudstream/demo")


def demo(
    *,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="Of live traffic, then end. Default: until Ctrl-C.")
    ] = None,
    rate: Annotated[float, typer.Option(min=1, help="Live events a second.")] = 500.0,
    workers: Annotated[int, typer.Option(min=1, max=2, help="Worker processes.")] = 1,
    directory: Annotated[
        Path, typer.Option("--dir", help="Emptied first: data, logs and the stack of this run.")
    ] = DEFAULT_DIRECTORY,
    since: Annotated[
        float | None, typer.Option(hidden=True, help="When `make demo` began, seconds since the epoch.")
    ] = None,
) -> None:
    """Start Kafka, Redis and workers, send traffic with frauds in it, show the alerts; then reconcile.

    Exit code 0 when every event sent was decided or dead-lettered and every alert arrived, else 1.
    """
    began = time.time() if since is None else since
    from rich.console import Console

    from app.demo.plan import Plan
    from app.errors import StackError
    from app.settings import Settings

    settings = Settings.from_env()
    plan = Plan(directory=directory, seconds=seconds, rate=rate, workers=workers)
    try:
        from app.demo.run import run
    except ModuleNotFoundError as error:
        raise StackError(f"{error.name} is not installed: pip install 'fraudstream[local]'.") from error
    try:
        code = run(plan, settings, Console(), began)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(code)
