"""Fail-stop: a worker that cannot finish a step in order ends at once, without acknowledging or committing.

Faust's own reaction to an error is to go on: it acknowledges the message, restarts the agent and commits.
A process that is gone has promised nothing; the next one begins where the last finished chunk ended.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import structlog

EXIT_FAIL_STOP = 70
"""EX_SOFTWARE of sysexits.h."""
_LOG_SECONDS = 5.0

_log = structlog.get_logger("fail_stop")


@contextmanager
def fail_stop(doing: str) -> Iterator[None]:
    """End the process when the block raises. A cancellation is no failure: the loop is stopping in order."""
    try:
        yield
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001  # whatever it is, going on would break the order of writes
        end_process(doing, error)


def end_process(doing: str, error: BaseException) -> NoReturn:
    """Log the cause and leave at once, past every handler that would acknowledge or commit.

    A log that nobody reads, or that fails, does not hold up the end.
    """
    try:
        _exit_soon()
        _log.critical("fail_stop", doing=doing, cause=type(error).__name__, exc_info=error)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(EXIT_FAIL_STOP)


def _exit_soon() -> None:
    timer = threading.Timer(_LOG_SECONDS, os._exit, [EXIT_FAIL_STOP])
    timer.daemon = True
    timer.start()
