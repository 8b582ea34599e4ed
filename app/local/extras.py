"""Optional parts of the stack, by the names that `--with` accepts."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from app.local import connect, postgres, registry_server
from app.local.cluster import Cluster
from app.local.state import Part, Stack


class Extra(NamedTuple):
    """One server that is started on request."""

    part: Callable[[Path, Cluster], Part]
    """Configures the server and returns the part to start."""
    url: Callable[[int, str], str]
    """Returns the URL of the server, from its port and its password."""
    answers: Callable[[str], bool]
    """Returns whether the server at a URL is ready."""


def _without_password(url: Callable[[int], str]) -> Callable[[int, str], str]:
    return lambda port, _password: url(port)


EXTRAS = {
    registry_server.NAME: Extra(
        registry_server.part, _without_password(registry_server.url), registry_server.answers
    ),
    postgres.NAME: Extra(postgres.part, postgres.url, postgres.answers),
    connect.NAME: Extra(connect.part, _without_password(connect.url), connect.answers),
}


def urls(stack: Stack) -> dict[str, str]:
    """Return the URLs of the optional parts of a stack, by name. That of the database holds its password: not for printing."""
    return {
        part.name: EXTRAS[part.name].url(part.port, stack.postgres_password)
        for part in stack.parts
        if part.name in EXTRAS
    }


def all_answer(stack: Stack) -> bool:
    """Return whether every optional part of a stack is ready."""
    return all(EXTRAS[name].answers(url) for name, url in urls(stack).items())
