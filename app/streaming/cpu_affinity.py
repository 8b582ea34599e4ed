"""The CPU core of a worker's threads, and how they share the interpreter.

Only one thread computes at a time. On one core the threads share its caches, and none waits for another to wake up on
another core (docs/adr/0015-a-core-of-its-own.md).
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from app.errors import ConfigurationError

_SWITCH_SECONDS = 0.0005
"""How long a computing thread keeps the interpreter while another thread waits for it. Python's default of 5 ms delays
the Kafka client's thread too long. With one core the default stays: a switch would only interrupt the other thread.
"""


def pin_threads(core: int) -> None:
    """Pin this process's threads, and those that start later, to ``core``; do not pin them if it is negative.

    Raises ConfigurationError if the core cannot be used.
    """
    if core < 0:
        sys.setswitchinterval(_SWITCH_SECONDS)
        return
    if sys.platform != "linux":
        raise ConfigurationError("FRAUDSTREAM_WORKER_CORE is set, which only Linux supports. Unset it.")
    allowed = os.sched_getaffinity(0)
    if core not in allowed:
        raise ConfigurationError(
            f"FRAUDSTREAM_WORKER_CORE={core}: this process may run on {', '.join(map(str, sorted(allowed)))}. "
            "Set it to one of these or unset it."
        )
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # the thread has ended
            os.sched_setaffinity(int(thread.name), {core})
