"""The files that come with the program: the baseline model, what ``deploy/`` has for operators, and the published schemas.

A wheel holds them in this package, below ``files`` (pyproject.toml maps them); a checkout has them at its root. Commands and
demos import this package, workers do not: which model decides is never a matter of what happens to be installed.
"""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal, get_args

Name = Literal["models", "deploy", "schemas"]
NAMES: tuple[Name, ...] = get_args(Name)
IN_CHECKOUT: dict[Name, str] = {"models": "models", "deploy": "deploy", "schemas": "docs/schemas"}
_CHECKOUT = Path(__file__).parents[2]


def folder(name: Name) -> Path:
    """Return the folder with these files."""
    with as_file(files(__name__) / "files" / name) as packed:
        return packed if packed.is_dir() else _CHECKOUT / IN_CHECKOUT[name]
