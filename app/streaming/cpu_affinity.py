"""How the threads of a worker share the interpreter, and which cores they run on.

Only one of them computes at a time. On one core they find each other's data in its caches, and neither waits for the
other to wake on another core (docs/adr/0015-a-core-of-its-own.md).
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from app.errors import ConfigurationError

_SWITCH_SECONDS = 0.0005
"""A computing thread holds the interpreter this long while the Kafka client's thread waits on another core; the
default is 5 ms. On one core the one that waits would only interrupt the other.
"""


def take_turns(core: int) -> None:
    """Keep this process's threads, and those that begin later, on ``core``; below 0: wherever the system likes. Raises
    ConfigurationError where that cannot be.
    """
    if core < 0:
        sys.setswitchinterval(_SWITCH_SECONDS)
        return
    if sys.platform != "linux":
        raise ConfigurationError("FRAUDSTREAM_WORKER_CORE is set, which only Linux knows. Unset it.")
    allowed = os.sched_getaffinity(0)
    if core not in allowed:
        raise ConfigurationError(
            f"FRAUDSTREAM_WORKER_CORE={core}: this process may run on {', '.join(map(str, sorted(allowed)))}. "
            "Set it to one of these or unset it."
        )
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended
            os.sched_setaffinity(int(thread.name), {core})
