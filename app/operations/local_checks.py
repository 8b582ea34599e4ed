"""Checks of this machine for ``fraudstream doctor``: model, aliases, data directory and open files."""

import os
import resource
import shutil
from pathlib import Path

from app.adapters.disk.private import is_open_to_others
from app.adapters.models.aliases import read_aliases
from app.adapters.models.bundles import champion
from app.adapters.models.loading import Loading
from app.domain.control import model_id
from app.errors import ModelRejected
from app.operations.finding import Finding, failed, ok, warning
from app.settings import Settings
from app.streaming.state.rocksdb_memory import OPEN_FILES

LEAST_FREE_SHARE, LEAST_FREE_BYTES = 0.1, 1_000_000_000


def check_model(settings: Settings) -> Finding:
    """Load the champion as a worker does."""
    models = Path(settings.model.dir)
    try:
        bundle = champion(models, settings.model.champion, Loading.by(settings.model, settings.catalog.file))
    except ModelRejected as error:
        return failed("model", str(error), "`fraudstream model verify`; docs/models/models.md.")
    warnings = [*bundle.warnings, *bundle.manifest.profile.warnings(settings.profile)]
    if warnings:
        return warning(
            "model", "; ".join(warnings), "Train a model for these settings; docs/models/models.md."
        )
    return ok("model", f"{model_id(bundle.reference)} loads and scores its golden rows")


def check_aliases(settings: Settings) -> Finding:
    """Read aliases.toml and load every challenger; ``check_model`` loads the champion."""
    models = Path(settings.model.dir)
    try:
        aliases = read_aliases(models)
        for challenger in aliases.challengers:
            champion(models, challenger, Loading.by(settings.model, settings.catalog.file))
    except ModelRejected as error:
        return failed(
            "aliases", str(error), "Correct aliases.toml in FRAUDSTREAM_MODEL_DIR; docs/models/models.md."
        )
    return ok(
        "aliases", f"champion {aliases.champion}, challengers: {', '.join(aliases.challengers) or 'none'}"
    )


def check_data_dir(settings: Settings) -> Finding:
    """Check that the data directory is or could be created, writable and with free space. Creates nothing."""
    path = Path(settings.worker.data_dir)
    existing = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        remedy = "Set FRAUDSTREAM_WORKER_DATA_DIR to a directory that the worker's user may write to."
        return failed("data directory", f"{existing} cannot be written to", remedy)
    disk = shutil.disk_usage(existing)
    found = f"{path}: {disk.free / 1e9:,.1f} GB free"
    if path.is_dir() and is_open_to_others(path):
        remedy = "It holds ids of customers: `chmod 700`, unless a group is to read it. Workers create it so."
        return warning("data directory", f"{path} is open to other users of this machine", remedy)
    if disk.free < max(LEAST_FREE_BYTES, LEAST_FREE_SHARE * disk.total):
        return warning(
            "data directory", found, "Free disk space. docs/operate/sizing.md gives the requirements."
        )
    return ok("data directory", found)


def check_open_files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        remedy = f"Raise the hard limit of open files (ulimit -Hn, LimitNOFILE) to {OPEN_FILES}."
        return warning("open files", f"at most {hard}", remedy)
    return ok("open files", "the limit is high enough")
