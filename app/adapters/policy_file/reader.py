"""Reads a policy file over the catalog of a deployment. Errors name file, line, column, key and remedy."""

from pathlib import Path
from typing import NamedTuple

from app.adapters.toml_file.reader import MOST_BYTES, Mistake, Unreadable, document
from app.catalog.definitions import Catalog
from app.errors import ConfigurationError, InvalidPolicy
from app.policy.checking.checker import checked
from app.policy.definitions import Policy

FILE_NAME = "policy.toml"


class Read(NamedTuple):
    """The policy of a file, or its mistakes in order of lines."""

    policy: Policy | None
    mistakes: tuple[Mistake, ...]


def load_policy(path: Path, catalog: Catalog) -> Policy:
    """The policy in a file, or in a folder with a policy.toml.

    Raises InvalidPolicy, which lists all mistakes, or ConfigurationError where there is no readable file.
    """
    return required(parsed(content(path), catalog), str(file_of(path)))


def required(found: Read, file: str) -> Policy:
    """The policy that was read. Raises InvalidPolicy, which lists all mistakes."""
    if found.policy is None:
        lines = (mistake.text_with_column(file) for mistake in found.mistakes)
        raise InvalidPolicy("\n".join(["the policy is refused:", *lines]))
    return found.policy


def file_of(path: Path) -> Path:
    """The policy file that a path names: itself, or that in a folder."""
    return path / FILE_NAME if path.is_dir() else path


def content(path: Path) -> bytes:
    """The bytes of a policy file, at most one more than allowed. Raises ConfigurationError where there is no readable file."""
    try:
        with file_of(path).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(
            f"{file_of(path)} cannot be read: {why}. Give a policy file, or a folder with a {FILE_NAME}."
        ) from error


def parsed(data: bytes, catalog: Catalog) -> Read:
    """The policy in the bytes of a file, or its mistakes. The tests of its rules are run."""
    try:
        file = document(data)
    except Unreadable as error:
        return Read(None, (error.mistake,))
    policy, problems = checked(file.values, catalog)
    return Read(policy, file.mistakes(problems))
