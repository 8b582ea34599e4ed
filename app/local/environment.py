"""The addresses of a running stack as environment variables, and as commands of a POSIX shell that set them."""

import shlex
from collections.abc import Iterator, Mapping

from app.local import connect, ports, postgres
from app.local.extras import urls
from app.local.state import Stack


def settings(stack: Stack) -> dict[str, str]:
    """Return the settings with which commands and workers use this stack. None of them is a secret."""
    registry = {"FRAUDSTREAM_REGISTRY_URL": stack.registry_url} if stack.registry_url else {}
    rest = urls(stack).get(connect.NAME)
    connector = {"FRAUDSTREAM_CDC_CONNECT_URL": rest} if rest else {}
    servers = {"FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers}
    return servers | stack.redis_environment | registry | connector


def clients(stack: Stack) -> dict[str, str]:
    """Return what ``redis-cli`` and ``psql`` read, passwords included."""
    found = {"REDISCLI_AUTH": stack.redis_password} if stack.redis_password else {}
    for part in stack.parts:
        if part.name == postgres.NAME:
            found |= {
                "PGHOST": ports.HOST,
                "PGPORT": str(part.port),
                "PGDATABASE": postgres.DATABASE,
                "PGUSER": postgres.USER,
                "PGPASSWORD": stack.postgres_password,
            }
    return found


def exports(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield a command for each variable. Values are quoted, so that a shell takes each one as it is."""
    return (f"export {name}={shlex.quote(value)}" for name, value in variables.items())
