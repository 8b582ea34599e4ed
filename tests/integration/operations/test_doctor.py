"""`fraudstream doctor` on an installation that is well, and on some that are not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.local import ports
from app.local.state import Stack
from app.settings import values
from tests.support.deployment import Deployment
from tests.support.paths import REPOSITORY

pytestmark = pytest.mark.integration

COMMAND = str(Path(sys.executable).with_name("fraudstream"))
SECONDS = 120


@pytest.fixture(scope="module")
def stack(own_stack: Stack) -> Stack:
    """Without the topics of other tests, which may be deleted while the doctor reads the cluster."""
    return own_stack


def examined(deployment: Deployment, **overrides: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code, and each finding by its check."""
    settings = {name: str(value) for name, value in values(deployment.settings).items()}
    done = subprocess.run(  # noqa: S603  # ours
        [COMMAND, "doctor", "--json"],
        check=False,
        cwd=REPOSITORY,
        env=os.environ | settings | {"FRAUDSTREAM_MODEL_DIR": str(deployment.models)} | overrides,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    return done.returncode, {each["check"]: each for each in json.loads(done.stdout)["findings"]}


async def test_doctor_finds_only_the_missing_workers(deployment: Deployment) -> None:
    code, findings = examined(deployment)

    outcomes = {check: each["outcome"] for check, each in findings.items()}
    machine = {outcomes.pop(check) for check in ("open files", "data directory", "broker disks")}
    assert code == 0, findings
    assert "failed" not in machine
    assert outcomes == {
        "settings": "ok",
        "aliases": "ok",
        "model": "ok",
        "redis": "ok",
        "registry": "ok",
        "brokers": "ok",
        "rights": "ok",
        "copies": "warning",
        "group": "warning",
        "lag": "ok",
        "transactions": "ok",
        "lost records": "ok",
        "clock": "ok",
        "entities": "ok",
        "topics": "ok",
        "dead letters": "ok",
    }


async def test_doctor_reports_missing_topics_with_the_command_that_creates_them(
    stack: Stack, models: Path, tmp_path: Path
) -> None:
    code, findings = examined(Deployment(stack, tmp_path, models))

    assert code == 1
    assert findings["topics"]["outcome"] == "failed"
    assert "`fraudstream topics ensure` creates what is missing" in findings["topics"]["remedy"]


async def test_doctor_examines_the_rest_when_brokers_do_not_answer(deployment: Deployment) -> None:
    unreachable = f"127.0.0.1:{ports.choose()}"
    code, findings = examined(deployment, FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=unreachable)

    assert code == 1
    assert "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS" in findings["cluster"]["found"]
    assert findings["model"]["outcome"] == "ok"


async def test_doctor_examines_redis_when_it_is_configured(stack: Stack, deployment: Deployment) -> None:
    _, there = examined(deployment, **stack.redis_environment)
    code, gone = examined(deployment, FRAUDSTREAM_REDIS_URL=f"redis://127.0.0.1:{ports.choose()}/0")

    assert (there["redis"]["outcome"], there["redis"]["found"]) == ("ok", "answers")
    assert code == 1
    assert "FRAUDSTREAM_REDIS_URL" in gone["redis"]["found"]


async def test_doctor_reports_only_the_setting_when_one_is_wrong(deployment: Deployment) -> None:
    code, findings = examined(deployment, FRAUDSTREAM_WORKER_LOG_LEVEL="loud")

    assert code == 1
    assert list(findings) == ["settings"]
