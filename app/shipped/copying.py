"""Copies of shipped folders, to be edited and kept by the user."""

import shutil
from pathlib import Path

from app.errors import ConfigurationError
from app.shipped import Name, folder


def copy(name: Name, target: Path) -> int:
    """Copy a folder to ``target`` and return the number of files. Raises ConfigurationError if ``target`` exists."""
    try:
        shutil.copytree(folder(name), target, ignore=shutil.ignore_patterns("__pycache__"))
    except FileExistsError as error:
        raise ConfigurationError(
            f"{target} exists and is left as it is. Give another directory with --to."
        ) from error
    except shutil.Error as error:
        raise ConfigurationError(f"{target} is incomplete: {error}.") from error
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error.strerror}.") from error
    return len(contents(target))


def contents(path: Path) -> list[Path]:
    """Return the files below a folder, relative to it."""
    return sorted(file.relative_to(path) for file in path.rglob("*") if file.is_file())
