"""A Postgres for the tests of a module; each test has a schema of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.adapters.postgres.database import Database
from app.adapters.postgres.migrating import migrate
from app.settings import CasesSettings
from tests.integration.cases.postgres_server import PostgresServer


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No models: the role needs none."""
    return tmp_path_factory.mktemp("no-models")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def cases(postgres: PostgresServer) -> CasesSettings:
    """Settings that name an empty schema."""
    return postgres.settings(f"test_{uuid4().hex[:8]}")


@pytest.fixture
async def database(cases: CasesSettings) -> AsyncIterator[Database]:
    """A database with the tables."""
    found = Database(cases, lambda: 0.0)
    await found.run(lambda connection: migrate(connection, cases.database_schema))
    yield found
    await found.close()
