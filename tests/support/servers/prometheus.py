"""A real Prometheus with the project's rules and shortened bounds."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.local import ports
from tests.support.paths import REPOSITORY

PROMETHEUS = shutil.which("prometheus")
RULES = REPOSITORY / "deploy" / "prometheus" / "rules.yaml"
START_SECONDS, STOP_SECONDS = 60, 20
POLL_SECONDS = 0.2
SHORTER = (
    (r"\bfor: \w+", "for: 0s"),
    (r"\[\d+[mh]\]", "[20s]"),  # what is looked back at
    (r"\b86400\b", "864000"),  # full in ten days: the test's disk is large, and written to briefly
    (r"_lag_seconds(\{group!=[^}]*\})\) > 60", r"_lag_seconds\1) > 1"),
    (r"< 0\.15 \*", "< 0 *"),  # the machine's disk may be as full as it likes
)
"""Times and bounds of the rules with their replacements. Nothing else of a rule is changed."""


class Prometheus:
    """A Prometheus that scrapes every second until it is stopped."""

    def __init__(self, directory: Path, targets: Mapping[str, int]) -> None:
        """``targets`` are ports of this machine by the name of their job."""
        directory.mkdir()
        self._url = f"127.0.0.1:{ports.choose()}"
        (directory / "rules.yaml").write_text(shortened(), encoding="utf-8")
        configuration = directory / "prometheus.yml"
        configuration.write_text(json.dumps(_configuration(targets)), encoding="utf-8")  # JSON is YAML
        command = [
            str(PROMETHEUS),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={self._url}",
        ]
        with (directory / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # ours

    def firing(self) -> dict[str, list[dict[str, str]]]:
        """The labels of the firing alerts by alert name."""
        found: dict[str, list[dict[str, str]]] = {}
        for alert in self._ask("alerts")["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert["labels"])
        return found

    def names(self) -> set[str]:
        """The names of all series."""
        return set(self._ask("label/__name__/values"))

    def value(self, expression: str) -> float:
        """The value of the only series of an expression; NaN when there is none."""
        query = urllib.parse.urlencode({"query": expression})
        found = self._ask(f"query?{query}")["result"]
        return float(found[0]["value"][1]) if found else float("nan")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(STOP_SECONDS)

    def _ask(self, path: str) -> Any:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(
                    f"http://{self._url}/api/v1/{path}", timeout=10
                ) as answer:  # loopback
                    return json.load(answer)["data"]
            except OSError:
                assert self._process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(POLL_SECONDS)


def shortened() -> str:
    """The rules with the shortened bounds. Raises AssertionError when a pattern matches nothing."""
    text = RULES.read_text(encoding="utf-8")
    for pattern, instead in SHORTER:
        text, count = re.subn(pattern, instead, text)
        assert count, pattern
    return text


def _configuration(targets: Mapping[str, int]) -> dict[str, Any]:
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        for job, port in targets.items()
    ]
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": jobs,
    }
