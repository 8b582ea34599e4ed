"""``fraudstream worker``: check settings, topics and model, then run Faust's worker."""

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
            help="risk scores transactions, entities maintains terminals and past frauds, analytics writes files and "
            "reports, crm asks customers, cases keeps cases of alerts in Postgres. Default: FRAUDSTREAM_WORKER_ROLE."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Directory of the RocksDB databases. Default: FRAUDSTREAM_WORKER_DATA_DIR."),
    ] = None,
) -> None:
    """Run a worker until SIGTERM or Ctrl-C; settings, topics and model are checked first."""
    import gc
    import os

    from app.settings import Settings

    gc.disable()  # see app.worker, which is imported later

    # app.worker reads only the environment, because plain `faust -A app.worker` has no options of ours.
    if role is not None:
        os.environ["FRAUDSTREAM_WORKER_ROLE"] = role
    if data_dir is not None:
        os.environ["FRAUDSTREAM_WORKER_DATA_DIR"] = str(data_dir)
    settings = Settings.from_env()
    _check(settings)

    from app import worker_process

    # A program that reads the log as JSON cannot read the banner.
    worker_process.run(
        settings.worker.log_level.replace("warning", "warn"), quiet=settings.worker.log_format == "json"
    )


def _check(settings: "Settings") -> None:
    """Raise the error for which the worker would refuse to start.

    The worker runs the same checks; running them here prints one line instead of a log.
    """
    import asyncio
    import os
    import time

    from app.adapters.catalog_file.deployed import worker_computation
    from app.adapters.disk.data_dir import lock
    from app.adapters.topic_records.control_reader import read_control_log
    from app.streaming.control.model_choice import ModelChoice
    from app.topics.provisioning import require

    worker_computation(settings.catalog.file)
    os.close(lock(Path(settings.worker.data_dir)))
    asyncio.run(require(settings))
    if settings.worker.role != "risk":
        return
    order = asyncio.run(read_control_log(settings)).orders.champion
    ModelChoice.by(settings).first(order, time.time_ns() // 1_000_000)
