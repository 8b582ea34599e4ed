"""``fraudstream demo``: run the whole platform on this machine and reconcile its output at the end."""

import time
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DIRECTORY = Path(".fraudstream/demo")


def demo(
    *,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="Seconds of live traffic. Default: until Ctrl-C.")
    ] = None,
    rate: Annotated[float, typer.Option(min=1, help="Live events per second.")] = 500.0,
    workers: Annotated[int, typer.Option(min=1, max=2, help="Worker processes.")] = 1,
    directory: Annotated[
        Path, typer.Option("--dir", help="Directory for data, logs and the local stack; emptied first.")
    ] = DEFAULT_DIRECTORY,
    since: Annotated[
        float | None, typer.Option(hidden=True, help="When `make demo` began, seconds since the epoch.")
    ] = None,
) -> None:
    """Start Kafka, Redis and workers on this machine, send traffic with fraud and show the alerts.

    At the end every event is accounted for: exit code 0 when each one sent was
    decided or dead-lettered and every alert arrived, else 1.
    """
    began = time.time() if since is None else since
    from app.demo.plan import Plan
    from app.errors import StackError
    from app.rendering.console import SafeConsole
    from app.settings import Settings

    settings = Settings.from_env()
    plan = Plan(directory=directory, seconds=seconds, rate=rate, workers=workers)
    try:
        from app.demo.run import run
    except ModuleNotFoundError as error:
        raise StackError(f"{error.name} is not installed: pip install 'fraudstream[local]'.") from error
    try:
        code = run(plan, settings, SafeConsole(), began)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(code)
