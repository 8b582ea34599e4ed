"""The group CASES."""

import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta

from app.errors import ConfigurationError
from app.settings.kinds import Group, Hours, Seconds
from app.settings.worker import WorkerSettings

_SCHEMA = re.compile("[a-z_][a-z0-9_]{0,62}")


class CasesSettings(Group, frozen=True, kw_only=True):
    """Workers of the role `cases` and `fraudstream cases`: the Postgres that holds cases; docs/operate/cases.md. The other settings of
    the workers are in the group WORKER.
    """

    app_id: str = "fraudstream-cases"
    """Consumer group. Its committed offsets only serve to monitor the lag; a worker resumes at the offsets in the database."""
    database_url: str = ""
    """`postgresql://HOST:PORT/DATABASE`. Required by the role `cases`."""
    username: str = ""
    """User of the database."""
    password_file: str = ""
    """File with the password. The URL may not hold one: `ps` and crash reports show the environment."""
    tls_ca_file: str = ""
    """PEM file of the authorities that sign the server's certificate, whose host name is verified. Empty: no verification, and TLS
    only if the server offers it."""
    database_schema: str = "fraudstream"
    """Schema that holds the tables: lower-case letters, digits and `_`. Several deployments can share a database."""
    database_connect_seconds: Seconds = 5.0
    """Longest wait for a connection; longest run of one statement is twice as long."""
    database_wait_seconds: Seconds = 30.0
    """How long a worker tries again while the database is away; then it ends with exit code 70. Below
    FRAUDSTREAM_WORKER_STALL_SECONDS."""
    due_hours: Hours = 4.0
    """When a case must be closed, after its first alert was raised."""
    lease_minutes: Annotated[float, Meta(gt=0, le=1440)] = 15.0
    """How long a case stays with the analyst who took it, unless the claim is renewed."""
    outbox_poll_seconds: Seconds = 0.5
    """Pause before the changes of cases are looked for that other programs made in the database. A worker's own changes do not wait."""
    outbox_batch: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """Most changes of cases that are published together."""
    outbox_keep_hours: Hours = 72.0
    """How long a published change stays in the database."""


def check_cases(cases: CasesSettings, worker: WorkerSettings) -> None:
    """Raise ConfigurationError if fields contradict each other. The files are checked when they are read."""
    url = _database_address(cases.database_url)
    if url.username or url.password or url.query:
        raise ConfigurationError(
            "FRAUDSTREAM_CASES_DATABASE_URL may not contain a user, a password or options. Use FRAUDSTREAM_CASES_USERNAME "
            "and FRAUDSTREAM_CASES_PASSWORD_FILE."
        )
    if not _SCHEMA.fullmatch(cases.database_schema):
        raise ConfigurationError(
            "FRAUDSTREAM_CASES_DATABASE_SCHEMA is not a name of lower-case letters, digits and _. Correct it."
        )
    if worker.role == "cases" and cases.database_wait_seconds >= worker.stall_seconds:
        raise ConfigurationError(
            "FRAUDSTREAM_CASES_DATABASE_WAIT_SECONDS must be below FRAUDSTREAM_WORKER_STALL_SECONDS: a worker that waits "
            "for its database is not stalled. Lower the first or raise the second."
        )


def check_production_cases(cases: CasesSettings) -> None:
    """Raise ConfigurationError if the connection to the database is not verified or needs no password."""
    if cases.database_url and not cases.tls_ca_file:
        raise ConfigurationError(
            "FRAUDSTREAM_CASES_TLS_CA_FILE is not set, which is refused with FRAUDSTREAM_DEPLOYMENT_STAGE=production: data "
            "about customers would cross the network to a server that nothing verifies. Set it."
        )
    if cases.database_url and not cases.password_file:
        raise ConfigurationError(
            "FRAUDSTREAM_CASES_PASSWORD_FILE is not set, which is refused with FRAUDSTREAM_DEPLOYMENT_STAGE=production: "
            "anyone who reaches the database could change cases. Set it."
        )


def _database_address(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        fits = not text or (
            url.scheme in {"postgresql", "postgres"}
            and bool(url.hostname)
            and url.port != 0
            and len(url.path.strip("/")) > 0
        )
    except ValueError:  # a port beyond 65535, half an IPv6 address
        fits = False
    if not fits:
        raise ConfigurationError(
            "FRAUDSTREAM_CASES_DATABASE_URL is not the address of a database. Set it to postgresql://HOST:PORT/DATABASE."
        )
    return url
