"""Ends a worker that cannot finish a step in order at once, without acknowledging or committing anything.

Faust's own reaction to an error is to continue: it acknowledges the message, restarts the agent and commits, and the
records of the failed chunk are lost. After the end of the process the next owner resumes behind the last finished
chunk.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import structlog

from app.adapters.observability.causes import stack

EXIT_FAIL_STOP = 70
"""EX_SOFTWARE of sysexits.h."""
_LOG_SECONDS = 5.0

_log = structlog.get_logger("fail_stop")


@contextmanager
def fail_stop(doing: str) -> Iterator[None]:
    """End the process when the block raises. A cancellation is not a failure: the event loop stops in order."""
    try:
        yield
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001  # continuing after any error would break the order of writes
        end_process(doing, error)


def end_process(doing: str, error: BaseException) -> NoReturn:
    """Log the cause, without values of records, and exit at once, bypassing every handler that would acknowledge or commit.

    A blocked or failing log delays the exit by a few seconds at most.
    """
    try:
        # A full pipe would block the log call below for ever.
        _exit_soon()
        _log.critical("fail_stop", doing=doing, cause=type(error).__name__, exception=stack(error))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(EXIT_FAIL_STOP)


def _exit_soon() -> None:
    timer = threading.Timer(_LOG_SECONDS, os._exit, [EXIT_FAIL_STOP])
    timer.daemon = True
    timer.start()
