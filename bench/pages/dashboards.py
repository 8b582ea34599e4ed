"""Pictures of the Grafana dashboards as docs/images/grafana-*.png: `python -m bench.pages.dashboards`.

The command runs the demo, a monitor, and a Prometheus that scrapes them; then it draws every panel of every dashboard from
the answers of that Prometheus (panels.py). It needs `prometheus` on the PATH, as Debian's package has it.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from unittest.mock import patch
from urllib.parse import urlencode

from app.demo import run as demo
from app.demo import session
from app.demo.plan import Plan
from app.demo.snapshot import Snapshot
from app.demo.workers import Worker
from app.local import ports
from app.rendering.console import SafeConsole
from app.settings import Settings
from bench.harness.worker_process import BenchProcess
from bench.pages.panels import draw, read

REPOSITORY = Path(__file__).parents[2]
DASHBOARDS = REPOSITORY / "deploy" / "grafana" / "dashboards"
IMAGES = REPOSITORY / "docs" / "images"
SECONDS = 150.0
SCRAPE_SECONDS = 3
RATE_INTERVAL = f"{4 * SCRAPE_SECONDS}s"
"""Four scrapes, as Grafana computes `$__rate_interval`."""
_SERVERS = re.compile(r"FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=(\S+)")
_FRAUDSTREAM = "from app.cli import main; main()"


class Scraped:
    """A screen that shows nothing: it starts the monitor and tells Prometheus the addresses of the workers."""

    period_seconds = 1.0

    def __init__(self, directory: Path, processes: ExitStack) -> None:
        self._directory = directory
        self._processes = processes
        self._monitor: int | None = None

    def draw(self, snapshot: Snapshot) -> None:
        servers = _SERVERS.search(" ".join(snapshot.hints))
        if self._monitor is None and servers is not None:
            self._monitor = self._start_monitor(servers[1])
        targets = {"fraudstream-worker": MeasuredWorker.ports, "fraudstream-monitor": [self._monitor or 0]}
        for job, found in targets.items():
            content = [{"targets": [f"127.0.0.1:{port}" for port in found if port]}]
            partial = self._directory / f"{job}.tmp"
            partial.write_text(json.dumps(content), "utf-8")
            partial.replace(self._directory / f"{job}.json")

    def _start_monitor(self, servers: str) -> int:
        port = ports.choose()
        words = ["monitor", "--serve", "--interval", str(SCRAPE_SECONDS), "--port", str(port)]
        environment = {"FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS": servers}
        arguments = ["-c", _FRAUDSTREAM, *words]
        self._processes.enter_context(BenchProcess(self._directory / "monitor", arguments, environment))
        return port


class MeasuredWorker(Worker):
    """A worker of the demo that serves its metrics."""

    ports: ClassVar[list[int]] = []

    def __init__(self, name: str, directory: Path, environment: Mapping[str, str]) -> None:
        port = ports.choose()
        super().__init__(name, directory, {**environment, "FRAUDSTREAM_WORKER_METRICS_PORT": str(port)})
        self.ports.append(port)


@contextmanager
def prometheus(directory: Path) -> Iterator[int]:
    """Run a Prometheus with the targets of the files in ``directory``; yield its port."""
    program = shutil.which("prometheus")
    if program is None:
        sys.exit("prometheus is not on the PATH: install the Debian package `prometheus`, or its release")
    jobs = [
        {
            "job_name": job,
            "file_sd_configs": [{"files": [str(directory / f"{job}.json")], "refresh_interval": "2s"}],
        }
        for job in ("fraudstream-worker", "fraudstream-monitor")
    ]
    settings = {"global": {"scrape_interval": f"{SCRAPE_SECONDS}s"}, "scrape_configs": jobs}
    (directory / "prometheus.yaml").write_text(json.dumps(settings), "utf-8")  # JSON is YAML
    port = ports.choose()
    arguments = [
        f"--config.file={directory / 'prometheus.yaml'}",
        f"--storage.tsdb.path={directory / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with BenchProcess(directory / "prometheus", arguments, {}, Path(program)):
        yield port


class Span(NamedTuple):
    """The time to draw, and where its series are."""

    port: int
    begin: float
    end: float
    directory: str
    """Left out of the names of log directories: another one at each run."""

    def asked(self, expression: str) -> Sequence[Mapping[str, Any]]:
        """Return the series of a range query."""
        query = expression.replace("$__rate_interval", RATE_INTERVAL)
        given = {"query": query, "start": self.begin, "end": self.end, "step": SCRAPE_SECONDS}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", f"/api/v1/query_range?{urlencode(given)}")
        answer = json.loads(connection.getresponse().read().decode().replace(self.directory, ""))
        if answer["status"] != "success":
            raise RuntimeError(f"{query}: {answer['error']}")
        series: Sequence[Mapping[str, Any]] = answer["data"]["result"]
        return series


def main() -> int:
    """Run the demo, write the pictures, return the demo's exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="seconds of live traffic")
    seconds = parser.parse_args().seconds
    with ExitStack() as processes:
        directory = Path(processes.enter_context(tempfile.TemporaryDirectory()))
        port = processes.enter_context(prometheus(directory))
        began = time.time()
        code = _run(Scraped(directory, processes), directory, seconds)
        ended = time.time()
        for path in sorted(DASHBOARDS.glob("*.json")):
            span = Span(port, began, ended, str(directory / "demo"))
            picture = draw(read(path.read_text("utf-8")), span.asked, began)
            picture.savefig(
                IMAGES / f"grafana-{path.stem}.png", metadata={"Software": "bench.pages.dashboards"}
            )
            print(f"drew {IMAGES / f'grafana-{path.stem}.png'}")
    return code


def _run(screen: Scraped, directory: Path, seconds: float) -> int:
    @contextmanager
    def opened(_: SafeConsole) -> Iterator[Scraped]:
        yield screen

    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        patch.object(demo, "open_screen", opened),
        patch.object(session, "Worker", MeasuredWorker),
        patch.object(sys, "argv", [".venv/bin/fraudstream", "demo"]),
    ):
        plan = Plan(directory=directory / "demo", seconds=seconds)
        return demo.run(plan, Settings.from_env(), SafeConsole(file=nowhere), time.time())


if __name__ == "__main__":
    sys.exit(main())
