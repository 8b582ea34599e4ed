"""``death_signal.py PARENT COMMAND…``: run COMMAND in this process and have the kernel kill it when PARENT dies.

It is run by its path in an isolated interpreter, so that it works from every directory and starts at once.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Replace this process by the command of the arguments."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":  # elsewhere `stack down` finds the process in stack.json
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent died before its death signal was set")
    os.execv(command[0], command)  # noqa: S606  # our own list of arguments, without a shell


if __name__ == "__main__":
    main()
