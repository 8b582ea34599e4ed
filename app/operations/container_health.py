"""``python -m app.operations.container_health``: the health check of the image, which asks the workers in a container.

The image also runs commands without endpoints, which are healthy while they run. So a worker is recognized by the words of
its process, and its address by the socket it listens on: the port may be set, or the next free one, or none.

It imports little, because it starts a Python beside the worker every 30 seconds.
"""

import ipaddress
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from pathlib import Path

from app.domain.safe_text import one_line
from app.domain.words import named

PROCESSES = Path("/proc")
TIMEOUT_SECONDS = 5
_WORKERS = {("fraudstream", "worker"), ("app.worker", "worker")}
"""Successive words of `fraudstream worker` and `faust -A app.worker worker`."""
_LISTENS = "0A"
_ADDRESS, _STATE, _INODE = 1, 3, 9
"""Columns of /proc/PID/net/tcp."""
_WORD_BYTES = 4


def main(processes: Path = PROCESSES) -> int:
    """Print what is wrong and return 1, or return 0: no worker runs here, or each one is alive."""
    problems = [problem for process in processes.glob("[0-9]*") for problem in _problems(process)]
    for line in problems or ["ok"]:
        print(one_line(line))  # noqa: T201  # shown by `docker inspect`
    return 1 if problems else 0


def _problems(process: Path) -> Iterator[str]:
    with suppress(OSError):  # the process has ended, or belongs to another user
        if is_worker((process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")):
            for host, port in _addresses(process):
                if problem := _ask(host, port):
                    yield f"http://{host}:{port}/livez: {problem}"


def is_worker(words: list[str]) -> bool:
    """Return whether these are the words of a worker's process."""
    names = [os.path.basename(word) for word in words]  # noqa: PTH119  # words, not paths
    return not _WORKERS.isdisjoint(pairwise(names))


def _addresses(process: Path) -> list[tuple[str, int]]:
    opened = {os.readlink(each) for each in (process / "fd").iterdir()}  # noqa: PTH115  # of a socket, which is no path
    inodes = {
        name.removeprefix("socket:[").removesuffix("]") for name in opened if name.startswith("socket:")
    }
    tables = (process / "net" / name for name in ("tcp", "tcp6"))
    return [address for table in tables if table.exists() for address in listening(table.read_text(), inodes)]


def listening(table: str, inodes: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yield the addresses in a table of /proc/net on which these sockets listen."""
    for line in table.splitlines()[1:]:
        columns = line.split()
        if columns[_STATE] == _LISTENS and columns[_INODE] in inodes:
            host, port = columns[_ADDRESS].split(":")
            yield _reachable(host), int(port, 16)


def _reachable(host: str) -> str:
    """Return the address of a host in hexadecimal; loopback if it means every interface."""
    raw = bytes.fromhex(host)
    words = [raw[start : start + _WORD_BYTES] for start in range(0, len(raw), _WORD_BYTES)]
    # The kernel prints each word as a number of this machine.
    ordered = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    address = ipaddress.ip_address(ordered)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_unspecified:
        return str(address)
    return "127.0.0.1" if address.version == 4 else "::1"


def _ask(host: str, port: int) -> str:
    """Return what is wrong with the worker at this address; empty if nothing is."""
    connection = HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/livez")
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace").strip()
    except (OSError, HTTPException) as error:
        return f"{named(error)}: {error}"
    else:
        return "" if response.status == HTTPStatus.OK else f"{response.status} {text}"
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
