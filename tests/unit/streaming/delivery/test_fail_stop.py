"""Fail-stop ends the process, even if logging or a handler blocks or fails. Each of these cases is a process of its own."""

import os
import subprocess
import sys

import pytest

from app.streaming.delivery.fail_stop import EXIT_FAIL_STOP, fail_stop
from tests.support.processes.kept_alive import WouldHaveEnded

SECONDS = 60
FAILING = """
import structlog
from app.errors import StoreFailed
from app.streaming.delivery.fail_stop import fail_stop
{sabotage}
with fail_stop("a step"):
    raise StoreFailed("it failed")
"""
QUOTING = """
from app.adapters.observability import logs
logs.configure()
from logging.config import dictConfig
dictConfig(logs.standard_config({format!r}, "info"))
from app.streaming.delivery.fail_stop import fail_stop

def decode():
    (bytes([255]) + b"4" + 15 * b"1").decode()

with fail_stop("a step"):
    try:
        decode()
    except UnicodeDecodeError as error:
        raise KeyError(error.object) from error
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


def run(code: str = FAILING, stderr: int = subprocess.PIPE, **parts: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  # ours
        [sys.executable, "-c", code.format(**{"sabotage": "", **parts})],
        stdout=stderr,
        stderr=stderr,
        text=True,
    )


def test_a_failed_step_is_logged_and_ends_the_process() -> None:
    with run() as process:
        told = "".join(process.communicate(timeout=SECONDS))

    assert EXIT_FAIL_STOP == process.returncode
    assert "it failed" in told


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_the_log_names_the_error_and_its_place_without_the_value_that_it_quotes(log_format: str) -> None:
    with run(QUOTING, format=log_format) as process:
        told = "".join(process.communicate(timeout=SECONDS))

    assert EXIT_FAIL_STOP == process.returncode
    assert "4111111111111111" not in told
    assert "KeyError" in told
    assert "UnicodeDecodeError" in told
    assert "line 9, in decode" in told


def test_a_log_that_fails_does_not_keep_it_alive() -> None:
    with run(sabotage=LOG_THAT_FAILS) as process:
        process.communicate(timeout=SECONDS)

    assert EXIT_FAIL_STOP == process.returncode


def test_a_log_pipe_without_a_reader_does_not_keep_it_alive() -> None:
    """A container's log driver that hangs: the pipe is full, and the write waits for ever."""
    reading, writing = os.pipe()
    try:
        with run(sabotage=FULL_PIPE, stderr=writing) as process:
            try:
                assert EXIT_FAIL_STOP == process.wait(SECONDS)
            finally:
                process.kill()
    finally:
        os.close(reading)
        os.close(writing)


def test_in_the_process_of_the_tests_it_fails_a_test_and_ends_no_run() -> None:
    with pytest.raises(WouldHaveEnded, match="70"), fail_stop("a step"):
        raise ValueError
