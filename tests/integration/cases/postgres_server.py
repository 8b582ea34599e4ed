"""A Postgres from the wheel that a test may kill and start again."""

import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from app.local import ports, postgres
from app.local.cluster import Cluster
from app.settings import CasesSettings

SECONDS = 60


class PostgresServer:
    """One server with an empty database; ``settings`` names a schema of its own for each test."""

    def __init__(self, directory: Path) -> None:
        (directory / "logs").mkdir(parents=True)
        self.port = ports.choose()
        self._part = postgres.part(directory, Cluster("", (), extra_ports={postgres.NAME: self.port}))
        self.password_file = postgres.password_file(directory)
        self.url = postgres.url(self.port, postgres.password(directory))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        with self._part.log.open("ab") as output:
            self._process = subprocess.Popen(self._part.command, stdout=output, stderr=output)  # noqa: S603  # our own list of words
        deadline = time.monotonic() + SECONDS
        while not postgres.answers(self.url):
            assert self._process.poll() is None, self._part.log.read_text(encoding="utf-8")[-3000:]
            assert time.monotonic() < deadline, "Postgres does not answer"
            time.sleep(0.1)  # a server that starts sends no notification: poll

    def kill(self) -> None:
        """End it without a checkpoint, as ``pg_ctl stop -m immediate``: it recovers from its log at the next start."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(SECONDS)

    def settings(self, schema: str) -> CasesSettings:
        address = urlsplit(self.url)
        return CasesSettings(
            database_url=f"postgresql://{address.hostname}:{self.port}/{postgres.DATABASE}",
            username=postgres.USER,
            password_file=str(self.password_file),
            database_schema=schema,
        )

    def query(self, schema: str, statement: str) -> list[tuple[object, ...]]:
        """All rows of a statement, by a connection of its own."""
        with psycopg.connect(self.url, options=f"-c search_path={schema}") as connection:
            return connection.execute(statement.encode()).fetchall()
