"""``fraudstream worker``: Faust's own worker, once the settings, the topics and the model are known to be right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.settings import WorkerRole

if TYPE_CHECKING:
    from app.settings import Settings


def worker(
    role: Annotated[
        WorkerRole | None,
        typer.Option(
            help="risk scores transactions, entities keeps what is known of terminals and of past frauds, analytics "
            "writes files and reports, crm asks customers. Default: FRAUDSTREAM_WORKER_ROLE."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="RocksDB lives here. Default: FRAUDSTREAM_WORKER_DATA_DIR.")
    ] = None,
) -> None:
    """Work until SIGTERM or Ctrl-C: `faust -A app.worker worker`, with everything checked first."""
    import os
    import sys

    from app.settings import Settings

    # app.worker reads the environment, as it does under plain `faust`.
    if role is not None:
        os.environ["FRAUDSTREAM_WORKER_ROLE"] = role
    if data_dir is not None:
        os.environ["FRAUDSTREAM_WORKER_DATA_DIR"] = str(data_dir)
    settings = Settings.from_env()
    _check(settings)

    from faust.cli.faust import cli

    # Faust's default level, "warn", would go over the one of our logging configuration.
    level = settings.worker.log_level.replace("warning", "warn")
    sys.argv = ["faust", "-A", "app.worker", "worker", "--without-web", "-l", level]
    cli()


def _check(settings: "Settings") -> None:
    """What a worker refuses to start without. It asks again itself; here a refusal is a line, not a log."""
    import asyncio
    import os
    import time

    from app.adapters.disk.data_dir import hold
    from app.streaming.control.champion import Choice
    from app.streaming.control.listener import control_log
    from app.topics.provisioning import require

    os.close(hold(Path(settings.worker.data_dir)))
    asyncio.run(require(settings))
    if settings.worker.role != "risk":
        return
    order = asyncio.run(control_log(settings)).orders.champion
    Choice(Path(settings.model.dir), settings.model.champion).first(order, time.time_ns() // 1_000_000)
