"""The HTTP endpoints of a worker, and workers with an injected fault."""

import asyncio
import http.client
import time
from typing import NamedTuple

from app.local import ports
from tests.support.deployment import Deployment
from tests.support.workers import Worker

ANSWER_SECONDS = 5.0
POLL_SECONDS = 0.02


class Answer(NamedTuple):
    """The answer of an endpoint; status 0 while nothing listens."""

    status: int
    text: str


class Probed(NamedTuple):
    """A worker that is not started yet, and the port of its endpoints."""

    worker: Worker
    port: int

    def ask(self, endpoint: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", endpoint)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode().strip())
        except OSError:
            return Answer(0, "")
        finally:
            connection.close()

    async def until(self, endpoint: str, status: int, seconds: float = 60.0) -> list[Answer]:
        """The distinct consecutive answers up to and including the first of ``status``."""
        answers: list[Answer] = []
        deadline = time.monotonic() + seconds
        while True:
            answer = await asyncio.to_thread(self.ask, endpoint)
            if not answers or answers[-1] != answer:
                answers.append(answer)
            if answer.status == status:
                return answers
            assert self.worker.running, self.worker.tail()
            assert time.monotonic() < deadline, (answers, self.worker.tail())
            await asyncio.sleep(POLL_SECONDS)


def probed(deployment: Deployment, name: str = "probed", **overrides: str) -> Probed:
    """A worker with endpoints and with short bounds on stalls and stops."""
    port = ports.choose()
    bounds = {
        "FRAUDSTREAM_WORKER_METRICS_PORT": str(port),
        "FRAUDSTREAM_WORKER_STALL_SECONDS": "6",
        "FRAUDSTREAM_WORKER_STOP_SECONDS": "5",
    }
    return Probed(deployment.worker(name, **bounds | overrides), port)


def sabotaged(deployment: Deployment, code: str, **overrides: str) -> Worker:
    """A worker that runs ``code`` after the import of `app.worker`."""
    folder = deployment.directory / "sabotage"
    folder.mkdir()
    (folder / "sabotaged.py").write_text(f"from app.worker import app\n{code}", encoding="utf-8")
    worker, _ = probed(deployment, "sabotaged", PYTHONPATH=str(folder), **overrides)
    worker.application = "sabotaged"
    return worker
