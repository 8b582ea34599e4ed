"""Adapter of jgo, which downloads Maven artifacts without a Java tool."""

from collections.abc import Iterable
from pathlib import Path

import truststore
from jgo.config import GlobalSettings
from jgo.maven import MavenContext

from app.domain.words import named
from app.errors import StackError
from app.local.java.coordinate import Coordinate

TIMEOUT_SECONDS = 60


def fetch(coordinate: Coordinate, folder: Path) -> Path:
    """Download one jar into ``folder``. Raises StackError naming it."""
    component = _context(folder).project(coordinate.group, coordinate.artifact).at_version(coordinate.version)
    try:
        return component.artifact(coordinate.classifier, coordinate.suffix).resolve()
    except (OSError, RuntimeError) as error:  # every error of the HTTP client is an OSError
        raise StackError(
            f"{coordinate} could not be downloaded ({named(error)}). Check the network and the proxy "
            "settings, then run the command again: finished downloads are kept."
        ) from error


def resolve(roots: Iterable[str], folder: Path) -> list[Coordinate]:
    """Return the roots with all their run-time dependencies."""
    context = _context(folder)
    # "!" keeps the parent of one root from choosing the versions of another root's dependencies.
    inputs, transitive = context.resolver.resolve([context.create_dependency(f"{root}!") for root in roots])
    return [Coordinate(found.groupId, found.artifactId, found.version) for found in (*inputs, *transitive)]


def _context(folder: Path) -> MavenContext:
    # The system's certificate store holds the certificate of a company's proxy; the HTTP client's own list does not.
    truststore.inject_into_ssl()
    mirrors = GlobalSettings.load().repositories  # a company's mirror, where the user's jgo.conf names one
    return MavenContext(repo_cache=folder, remote_repos=mirrors or None, timeout=TIMEOUT_SECONDS)
