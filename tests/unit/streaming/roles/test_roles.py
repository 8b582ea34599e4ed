"""Every role has its own worker and its own consumer group."""

import platform
from pathlib import Path
from typing import get_args

import msgspec
from prometheus_client import generate_latest

from app.settings import Settings, WorkerRole
from app.streaming.faust_app import build_app
from app.version import VERSION

SETTINGS = Settings()


def test_no_two_roles_share_a_worker_or_a_consumer_group(tmp_path: Path) -> None:
    """A role that ``build_app`` or ``Settings.app_id`` does not name would run as a risk worker, in the risk group."""
    roles = get_args(WorkerRole)
    workers, groups = set(), set()
    for role in roles:
        worker = msgspec.structs.replace(SETTINGS.worker, role=role, data_dir=str(tmp_path / role))
        app = build_app(msgspec.structs.replace(SETTINGS, worker=worker))
        workers.add(type(app.role_worker))
        groups.add(app.conf.id)

    assert len(roles) == len(workers) == len(groups)


def test_every_worker_publishes_its_release_and_its_role(tmp_path: Path) -> None:
    for role in get_args(WorkerRole):
        worker = msgspec.structs.replace(SETTINGS.worker, role=role, data_dir=str(tmp_path / role))
        metrics = build_app(msgspec.structs.replace(SETTINGS, worker=worker)).role_worker.metrics

        labels = f'python="{platform.python_version()}",role="{role}",version="{VERSION}"'
        assert f"fraudstream_build_info{{{labels}}} 1.0" in generate_latest(metrics.registry).decode()
