"""Fail-stop ends the process, even if logging or a handler blocks or fails. Each case is a process of its own."""

import os
import subprocess
import sys

from app.streaming.delivery.fail_stop import EXIT_FAIL_STOP

SECONDS = 60
FAILING = """
import structlog
from app.streaming.delivery.fail_stop import fail_stop
{sabotage}
with fail_stop("a step"):
    raise ValueError("it failed")
"""
FULL_PIPE = """
import os
os.set_blocking(2, False)
try:
    while True:
        os.write(2, b"x")
except BlockingIOError:
    os.set_blocking(2, True)
"""
LOG_THAT_FAILS = "structlog.configure(processors=[None])"


def run(sabotage: str = "", stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  # ours
        [sys.executable, "-c", FAILING.format(sabotage=sabotage)],
        stdout=stderr,
        stderr=stderr,
        text=True,
    )


def test_a_failed_step_is_logged_and_ends_the_process() -> None:
    with run() as process:
        told = "".join(process.communicate(timeout=SECONDS))

    assert EXIT_FAIL_STOP == process.returncode
    assert "it failed" in told


def test_a_log_that_fails_does_not_keep_it_alive() -> None:
    with run(LOG_THAT_FAILS) as process:
        process.communicate(timeout=SECONDS)

    assert EXIT_FAIL_STOP == process.returncode


def test_a_log_pipe_without_a_reader_does_not_keep_it_alive() -> None:
    """A container's log driver that hangs: the pipe is full, and the write waits for ever."""
    reading, writing = os.pipe()
    try:
        with run(FULL_PIPE, stderr=writing) as process:
            try:
                assert EXIT_FAIL_STOP == process.wait(SECONDS)
            finally:
                process.kill()
    finally:
        os.close(reading)
        os.close(writing)
