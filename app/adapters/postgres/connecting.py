"""Opens connections to the database of cases, and explains their errors in terms of the settings."""

from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import AsyncConnection, Connection, errors

from app.adapters import tls
from app.domain.safe_text import without_credentials
from app.domain.words import named
from app.errors import ConfigurationError, DatabaseRefused
from app.settings import CasesSettings

PREFIX = "FRAUDSTREAM_CASES_"
PORT = 5432
REFUSALS = (
    errors.InvalidPassword,
    errors.InvalidAuthorizationSpecification,
    errors.InsufficientPrivilege,
    errors.InvalidCatalogName,
    errors.InvalidSchemaName,
)
"""Errors that trying again does not mend."""
_STATEMENTS = 2
"""A statement may take this many times the wait for a connection."""


async def connect(cases: CasesSettings) -> AsyncConnection[Any]:
    """Open a connection; the caller closes it. Raises ConfigurationError for a refusal, psycopg.OperationalError otherwise."""
    try:
        connection = await AsyncConnection.connect(**_options(cases))
        async with connection.transaction():
            await connection.execute(_search_path(cases))
    except psycopg.Error as error:
        raise _explained(cases, error) from None
    return connection


def connect_blocking(cases: CasesSettings) -> Connection[Any]:
    """As ``connect``, for threads without an event loop."""
    try:
        connection = Connection.connect(**_options(cases))
        with connection.transaction():
            connection.execute(_search_path(cases))
    except psycopg.Error as error:
        raise _explained(cases, error) from None
    return connection


def refused(cases: CasesSettings, error: BaseException) -> DatabaseRefused:
    """Why the database refuses this user, without values of rows."""
    return DatabaseRefused(
        f"the database at {PREFIX}DATABASE_URL={without_credentials(cases.database_url)} refuses {PREFIX}USERNAME="
        f"{cases.username or '(not set)'} ({named(error)}). Correct the user, its password in {PREFIX}PASSWORD_FILE or its "
        "rights: docs/operate/cases.md#the-database."
    )


def _options(cases: CasesSettings) -> dict[str, Any]:
    if not cases.database_url:
        raise ConfigurationError(
            f"{PREFIX}DATABASE_URL is not set. Set it to postgresql://HOST:PORT/DATABASE."
        )
    url = urlsplit(cases.database_url)
    password = tls.read_file(f"{PREFIX}PASSWORD_FILE", cases.password_file) if cases.password_file else None
    if cases.tls_ca_file:
        tls.read_file(f"{PREFIX}TLS_CA_FILE", cases.tls_ca_file)
    milliseconds = round(cases.database_connect_seconds * _STATEMENTS * 1000)
    return {
        "host": url.hostname,
        "port": url.port or PORT,
        "dbname": url.path.strip("/"),
        "user": cases.username or None,
        "password": password,
        "connect_timeout": max(1, round(cases.database_connect_seconds)),
        # A server that vanished is noticed without waiting for the kernel's quarter of an hour.
        "tcp_user_timeout": milliseconds,
        "sslmode": "verify-full" if cases.tls_ca_file else "prefer",
        "sslrootcert": cases.tls_ca_file or None,
        "application_name": "fraudstream",
        "autocommit": True,
        "options": f"-c statement_timeout={milliseconds} -c idle_in_transaction_session_timeout={4 * milliseconds}",
    }


def _search_path(cases: CasesSettings) -> bytes:
    """The settings allow only lower-case letters, digits and ``_`` in the name."""
    return f"SELECT set_config('search_path', '{cases.database_schema}', false)".encode()


def _explained(cases: CasesSettings, error: psycopg.Error) -> Exception:
    # libpq reports a refused connection as an OperationalError without a code; only its text tells.
    text = str(error)
    permanent = isinstance(error, REFUSALS) or any(
        words in text
        for words in (
            "password authentication failed",
            "no password supplied",
            "does not exist",
            "pg_hba.conf",
        )
    )
    return refused(cases, error) if permanent else error
