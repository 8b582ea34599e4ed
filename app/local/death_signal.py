"""``shim.py PARENT COMMAND…``: become COMMAND, and be killed by the kernel when PARENT dies.

Run by its path in an isolated interpreter, so that it works from every directory and starts at once.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Replace this process by the command of the arguments."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":  # elsewhere `stack down` finds the process by what stack.json recorded
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent died before the kernel was told to watch it")
    os.execv(command[0], command)  # noqa: S606  # no shell is wanted: the command is our own list of words


if __name__ == "__main__":
    main()
