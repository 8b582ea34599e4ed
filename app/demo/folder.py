"""The demo's directory: emptied before each run, so that every count starts at zero."""

import shutil
from pathlib import Path

from app.adapters.disk import private
from app.errors import ConfigurationError, StackError
from app.local import stack

MARKER = "fraudstream-demo"
STACK = "stack"


def fresh(directory: Path) -> Path:
    """Empty and return the directory. Raises ConfigurationError when it holds anything but an earlier demo."""
    path = directory.resolve()
    if path.exists() and any(path.iterdir()):
        if not (path / MARKER).is_file():
            raise ConfigurationError(f"{directory} does not hold an earlier demo. Give another --dir.")
        running = stack.status(path / STACK)
        if running is not None and running.supervised:
            raise StackError(
                f"a demo runs in {directory}. Stop it, or give another --dir; "
                f"`fraudstream stack down --dir {directory / STACK}` stops what an aborted demo left running."
            )
        shutil.rmtree(path)
    private.make_folder(path)
    (path / MARKER).write_text("Made by `fraudstream demo`, which empties this directory when it starts.\n")
    return path
