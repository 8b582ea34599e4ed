"""``models/aliases.toml``: the champion, which decides, and the challengers, which are compared with it."""

import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from app.adapters.models.checks import bounded_file
from app.domain.wrong_value import wrong_value
from app.errors import ModelRejected

FILE_NAME = "aliases.toml"
MOST_BYTES = 64 * 1024
MOST_CHALLENGERS = 16
"""Each is loaded and scores every chunk in its own time budget."""
_PART = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_REFERENCE = re.compile(f"{_PART}/{_PART}")


class Aliases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """References to bundles, ``name/version``."""

    champion: str
    challengers: Annotated[list[str], Meta(max_length=MOST_CHALLENGERS)] = []


def read_aliases(models_dir: Path) -> Aliases:
    """The aliases of a directory of models. Raises ModelRejected when the file is missing or invalid."""
    path = models_dir / FILE_NAME
    try:
        return msgspec.toml.decode(bounded_file.read(path, MOST_BYTES), type=Aliases)
    except OSError as error:
        raise ModelRejected(
            f"{path} cannot be read: {error.strerror}. Set FRAUDSTREAM_MODEL_DIR, write the file with "
            '`champion = "name/version"`, or copy the baseline model with `fraudstream files copy models`.'
        ) from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ModelRejected(
            f'{path}: {wrong_value(error, Aliases)}. It must say `champion = "name/version"`.'
        ) from error


def bundle_path(models_dir: Path, reference: str) -> Path:
    """The directory of the bundle ``name/version``. Raises ModelRejected when there is none."""
    if not _REFERENCE.fullmatch(reference):
        raise ModelRejected(f"`{reference}` is not a reference to a model; write name/version")
    path = models_dir / reference
    try:
        is_there = path.is_dir()
    except OSError as error:
        raise ModelRejected(f"{path} cannot be read: {error.strerror}. Set FRAUDSTREAM_MODEL_DIR.") from error
    if not is_there:
        raise ModelRejected(
            f"there is no model {reference} in {models_dir}. `fraudstream model list` shows them."
        )
    return path
