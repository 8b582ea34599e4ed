"""Every topic that some loop follows has its family of hostile records here; a new loop fails this test first."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from app.reference.redis_sync import kinds
from app.settings import Settings
from app.settings.worker import WorkerRole
from app.streaming.faust_app import build_app
from tests.support.paths import REPOSITORY

TOPICS = Settings().topics
LOOPS = Path("tests/unit/loops")
TESTED = {
    TOPICS.transactions: LOOPS / "test_transactions.py",
    TOPICS.alerts: LOOPS / "test_answers_and_alerts.py",
    TOPICS.answers: LOOPS / "test_answers_and_alerts.py",
    TOPICS.entity_activity: LOOPS / "test_facts.py",
    TOPICS.labels: LOOPS / "test_labels.py",
    TOPICS.decisions: LOOPS / "test_rows.py",
    TOPICS.control: Path("tests/unit/streaming/control/test_listener.py"),
    **dict.fromkeys(kinds(Settings()), LOOPS / "test_reference.py"),
}


@pytest.mark.parametrize("role", get_args(WorkerRole))
def test_each_topic_of_a_role_has_its_family(role: str, tmp_path: Path) -> None:
    worker = msgspec.convert({"role": role, "data_dir": str(tmp_path)}, type(Settings().worker))
    app = build_app(msgspec.structs.replace(Settings(), worker=worker))

    assert set(app.role_worker.topics) <= TESTED.keys()


@pytest.mark.parametrize("module", sorted(set(TESTED.values())))
def test_each_loop_is_given_the_same_family(module: Path) -> None:
    source = (REPOSITORY / module).read_text(encoding="utf-8")

    assert "family(" in source or "spoiled(" in source
