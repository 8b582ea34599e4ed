"""Brings the tables of cases to this release: versioned SQL files, applied in order, each once, never backwards."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from app.errors import DatabaseRefused

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x66726175
"""Key of the advisory lock that one migrating process holds: "frau"."""


class Migration(NamedTuple):
    """One file of SQL. A file of a release is never changed: a later file corrects it."""

    version: int
    name: str
    sql: bytes

    @property
    def digest(self) -> str:
        return sha256(self.sql).hexdigest()


def known(folder: Path = FOLDER) -> list[Migration]:
    """The migrations of this release, ``NNNN_name.sql``, in order."""
    files = sorted(folder.glob("*.sql"))
    return [Migration(int(file.stem[:4]), file.stem[5:], file.read_bytes()) for file in files]


async def migrate(
    connection: AsyncConnection[Any], schema: str, migrations: Sequence[Migration] | None = None
) -> list[int]:
    """Apply what is missing, in one transaction of the caller; the versions that were applied. Raises DatabaseRefused."""
    migrations = known() if migrations is None else migrations
    await connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK, schema))
    await _ensure_table(connection, schema)
    rows = await (
        await connection.execute("SELECT version, digest FROM migrations ORDER BY version")
    ).fetchall()
    missing = missing_migrations(dict(rows), migrations)
    for migration in missing:
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO migrations (version, name, digest) VALUES (%s, %s, %s)",
            (migration.version, migration.name, migration.digest),
        )
    return [migration.version for migration in missing]


def missing_migrations(applied: dict[int, str], migrations: Sequence[Migration]) -> list[Migration]:
    """The migrations that are not applied. Raises DatabaseRefused where the tables are not of this release's line."""
    for version, digest in applied.items():
        found = next((one for one in migrations if one.version == version), None)
        if found is None:
            raise DatabaseRefused(
                f"the tables of cases are of a newer release (migration {version}). Run that release, or a newer one."
            )
        if found.digest != digest:
            raise DatabaseRefused(
                f"migration {version} was applied with another content than this release has. Run the release that applied "
                "it; a migration is never changed."
            )
    return [migration for migration in migrations if migration.version > max(applied, default=0)]


async def _ensure_table(connection: AsyncConnection[Any], schema: str) -> None:
    """Also where this user may not create a schema, if there is one."""
    found = await connection.execute("SELECT to_regnamespace(%s) IS NULL", (schema,))
    if (await found.fetchone() or (False,))[0]:
        await connection.execute(f"CREATE SCHEMA {schema}".encode())  # the settings allow only names
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY, name text NOT NULL, digest text NOT NULL, "
        "applied_at timestamptz NOT NULL DEFAULT now())"
    )
