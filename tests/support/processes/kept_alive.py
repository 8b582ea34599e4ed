"""A fail stop in a process that runs tests is an exception there, not the end of the process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from app.streaming.delivery import fail_stop


class WouldHaveEnded(BaseException):
    """The worker would have ended. No `Exception`, which code under test may catch."""


@contextmanager
def kept_alive() -> Iterator[None]:
    """While the block runs, no fail stop ends this process.

    Threads and tasks of a worker may outlive its test on a busy machine, and with it the replacements of that test. A process that
    ends takes the test that it runs along, which need not be the one that made the thread.
    """
    with patch.object(fail_stop, "os", SimpleNamespace(_exit=_refuse)):
        yield


def _refuse(code: int) -> None:
    if not isinstance(threading.current_thread(), threading.Timer):  # of a log that blocks
        raise WouldHaveEnded(f"a fail stop ends the worker with {code}")
