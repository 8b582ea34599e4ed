"""One worker per data directory."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.adapters.disk.data_dir import lock
from app.errors import ConfigurationError


def test_a_second_worker_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    held = lock(tmp_path / "worker")
    with pytest.raises(ConfigurationError, match=rf"in use by the worker with pid {os.getpid()}\b"):
        lock(tmp_path / "worker")
    os.close(held)


def test_a_directory_is_free_after_its_worker_was_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from app.adapters.disk.data_dir import lock;"
        "lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:  # noqa: S603  # ours
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ConfigurationError, match=f"pid {holder.pid}"):
            lock(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()

    os.close(lock(tmp_path))


def test_a_directory_that_cannot_be_created_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"FRAUDSTREAM_WORKER_DATA_DIR=.*cannot be used"):
        lock(tmp_path / "file" / "worker")
