"""The parts beside Kafka and Redis, by the names that `--with` takes."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from app.local import connect, postgres, registry_server
from app.local.cluster import Cluster
from app.local.state import Part, Stack


class Extra(NamedTuple):
    """One server that is started when it is asked for."""

    part: Callable[[Path, Cluster], Part]
    """Ready to be started."""
    url: Callable[[int], str]
    """Where it is reached, by its port."""
    answers: Callable[[str], bool]
    """Whether what is reached there serves."""


EXTRAS = {
    registry_server.NAME: Extra(registry_server.part, registry_server.url, registry_server.answers),
    postgres.NAME: Extra(postgres.part, postgres.url, postgres.answers),
    connect.NAME: Extra(connect.part, connect.url, connect.answers),
}


def urls(stack: Stack) -> dict[str, str]:
    """Of the extra parts that a stack has."""
    return {part.name: EXTRAS[part.name].url(part.port) for part in stack.parts if part.name in EXTRAS}


def all_answer(stack: Stack) -> bool:
    return all(EXTRAS[name].answers(url) for name, url in urls(stack).items())
