"""`fraudstream worker`, `alerts tail` and `decisions tail` as they are called."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.local.state import Stack
from app.settings import values
from tests.support.deployment import Deployment
from tests.support.paths import REPOSITORY
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

COMMAND = str(Path(sys.executable).with_name("fraudstream"))
FAILED, REFUSED = 1, 2
SECONDS = 60


def environment(deployment: Deployment) -> dict[str, str]:
    settings = {name: str(value) for name, value in values(deployment.settings).items()}
    directories = {
        "FRAUDSTREAM_MODEL_DIR": str(deployment.models),
        "FRAUDSTREAM_WORKER_DATA_DIR": str(deployment.directory / "commanded"),
    }
    return os.environ | settings | directories


def call(deployment: Deployment, *arguments: str, **overrides: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # ours
        [COMMAND, *arguments],
        check=False,
        cwd=REPOSITORY,
        env=environment(deployment) | overrides,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_a_wrong_setting_is_refused_before_any_connection(deployment: Deployment) -> None:
    done = call(deployment, "worker", FRAUDSTREAM_WORKER_LOG_LEVEL="loud")

    assert done.returncode == REFUSED
    assert "configuration error: FRAUDSTREAM_WORKER_LOG_LEVEL=loud: must be one of `debug`" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_topics_are_refused_with_the_remedy(stack: Stack, models: Path, tmp_path: Path) -> None:
    unprovisioned = Deployment(stack, tmp_path, models)
    done = call(unprovisioned, "worker")

    assert done.returncode == REFUSED
    what, missing, remedy = done.stderr.splitlines()
    assert what.startswith("topic mismatch: the topics on ")
    assert unprovisioned.settings.topics.alerts in missing
    assert remedy.endswith("`fraudstream topics ensure` creates what is missing")


def test_a_bundle_that_does_not_exist_is_refused(deployment: Deployment) -> None:
    done = call(deployment, "worker", FRAUDSTREAM_MODEL_CHAMPION="absent/9")

    assert done.returncode == FAILED
    assert "model rejected: there is no model absent/9" in done.stderr


def test_a_directory_in_use_is_refused_to_the_command_and_to_plain_faust(deployment: Deployment) -> None:
    first, plain = deployment.worker("shared"), deployment.worker("shared")
    first.start()
    first.wait_started()
    commanded = call(deployment, "worker", "--data-dir", str(first.data_dir))
    plain.start()
    message = f"is in use by the worker with pid {first.pid}"

    assert commanded.returncode == REFUSED
    assert message in commanded.stderr
    assert plain.wait() == REFUSED
    assert message in plain.text()
    assert first.terminate() == 0


async def test_fraudstream_worker_scores_and_stops_in_order_and_tails_print_its_output(
    deployment: Deployment,
) -> None:
    log = deployment.directory / "commanded.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: ASYNC220, S603  # ours; starting it takes a millisecond
            [COMMAND, "worker"], cwd=REPOSITORY, env=environment(deployment), stdout=output, stderr=output
        ) as worker,
    ):
        try:
            await deployment.produce(traffic(500, seed=1))
            await deployment.drained()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(SECONDS) == 0, log.read_text()
        finally:
            worker.kill()

    decisions = call(deployment, "decisions", "tail", "--from-beginning", "--json", "--limit", "5")
    assert len({json.loads(line)["decision_id"] for line in decisions.stdout.splitlines()}) == 5
    alerts = call(deployment, "alerts", "tail", "--from-beginning", "--limit", "2").stdout.splitlines()
    assert [" EUR  c" in line for line in alerts] == [True, True]
