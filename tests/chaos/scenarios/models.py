"""Models that must not be used."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from tests.chaos.run import Run
from tests.chaos.scenario import scenario

Spoil = Callable[[Path], None]
SOUND, CORRUPT = "large-amounts/1", "large-amounts/corrupt"


@scenario(
    "survives: a corrupt model is offered while workers score; it is refused and the old one stays in use"
)
async def model_corrupt(run: Run) -> None:
    models = run.own_models()
    workers = await run.start_workers(2)
    async with run.traffic(count=int(20_000 * run.scale), rate=800):
        for spoil in (cut_parameters, cut_manifest, without_golden_rows):
            await asyncio.sleep(run.seconds(4))
            offer(models, spoil)
            run.note(f"offered with {spoil.__name__}", fault=True)
            for worker in workers:
                os.kill(worker.pid, signal.SIGHUP)
        await asyncio.sleep(run.seconds(4))
        run.expect(
            all(worker.lines_with("model_refused") for worker in workers), "both logs say model_refused"
        )
        name(models, SOUND)
    await run.recovered()
    run.expect(run.restarts == 0, "no worker ended")


def cut_parameters(bundle: Path) -> None:
    file = bundle / "model.skops"
    file.write_bytes(file.read_bytes()[:1_000])


def cut_manifest(bundle: Path) -> None:
    file = bundle / "manifest.json"
    file.write_bytes(file.read_bytes()[:-40])


def without_golden_rows(bundle: Path) -> None:
    (bundle / "golden.parquet").unlink()


def offer(models: Path, spoil: Spoil) -> None:
    """Let aliases.toml name a damaged bundle as champion."""
    shutil.rmtree(models / CORRUPT, ignore_errors=True)
    shutil.copytree(models / SOUND, models / CORRUPT)
    spoil(models / CORRUPT)
    name(models, CORRUPT)


def name(models: Path, champion: str) -> None:
    (models / "aliases.toml").write_text(f'champion = "{champion}"\n', encoding="utf-8")
