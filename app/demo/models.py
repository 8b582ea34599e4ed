"""The models of a demo: those of the user, otherwise the baseline that comes with the program.

Demos alone fall back to the baseline. Other commands and workers load models from FRAUDSTREAM_MODEL_DIR only, so that an operator has
chosen every model that decides payments.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from app import shipped
from app.adapters.models import aliases
from app.settings import Settings

SETTING = "FRAUDSTREAM_MODEL_DIR"


def with_models(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """Return the settings with the shipped models, unless a directory is configured or the default one has a champion."""
    if SETTING in environment or (Path(settings.model.dir) / aliases.FILE_NAME).is_file():
        return settings
    model = msgspec.structs.replace(settings.model, dir=str(shipped.folder("models")))
    return msgspec.structs.replace(settings, model=model)
