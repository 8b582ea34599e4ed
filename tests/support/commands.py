"""The command `fraudstream` with the settings of a deployment under test."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

from app.settings import values
from tests.support.deployment import Deployment
from tests.support.paths import REPOSITORY
from tests.support.processes import fork_server

COMMAND = str(Path(sys.executable).with_name("fraudstream"))
SECONDS = 120
IN_FULL = "TESTS_IN_FULL"
"""Set by `make test-all`: every command is started in the ordinary way."""


def call(deployment: Deployment, *arguments: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """The completed command; ``settings`` are given by their environment names.

    It is forked where there is a fork server, except in `make test-all`.
    """
    environment = {name: str(value) for name, value in values(deployment.settings).items()}
    environment |= {"FRAUDSTREAM_MODEL_DIR": str(deployment.models)} | settings
    if fork_server.running is not None and IN_FULL not in os.environ:
        return _forked(fork_server.running, ["fraudstream", *arguments], os.environ | environment)
    return subprocess.run(  # noqa: S603  # ours
        [COMMAND, *arguments],
        check=False,
        cwd=REPOSITORY,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
    )


def _forked(
    server: fork_server.ForkServer, words: list[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    with TemporaryFile() as output, TemporaryFile() as errors:
        code = server.fork(words, environment, output, errors).wait(SECONDS)
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(words, code, output.read(), errors.read())
