"""The command `fraudstream` with the settings of a deployment under test."""

import os
import subprocess
import sys
from pathlib import Path

from app.settings import values
from tests.support.deployment import Deployment
from tests.support.paths import REPOSITORY

COMMAND = str(Path(sys.executable).with_name("fraudstream"))
SECONDS = 120


def call(deployment: Deployment, *arguments: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """The completed command; ``settings`` are given by their environment names."""
    environment = {name: str(value) for name, value in values(deployment.settings).items()}
    environment |= {"FRAUDSTREAM_MODEL_DIR": str(deployment.models)} | settings
    return subprocess.run(  # noqa: S603  # ours
        [COMMAND, *arguments],
        check=False,
        cwd=REPOSITORY,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
    )
