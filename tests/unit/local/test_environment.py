"""``fraudstream stack env``: what a shell has after it evaluated the output, and what it gets from a stack that is down."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.local import environment, state
from app.local.processes import identify
from app.local.state import Part, Stack

AWKWARD = "a 'b' \"c\" $(touch made) `touch made` ;&*\\ é"


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack of every server, in a directory whose name means something to a shell; this process plays its processes."""
    directory = tmp_path / AWKWARD
    password_file = directory / "redis" / "password"
    password_file.parent.mkdir(parents=True)
    password_file.write_text("secret of redis\n")
    this = identify(os.getpid())
    return Stack(
        directory=directory,
        cluster_id="c",
        bootstrap_servers="127.0.0.1:1,127.0.0.1:2",
        redis_url="redis://127.0.0.1:3/0",
        redis_password_file=password_file,
        registry_url="http://127.0.0.1:4/apis/ccompat/v7",
        postgres_password="it's $HOME",  # noqa: S106  # of no database
        parts=tuple(
            Part(name=name, port=port, log=directory / "log", command=(), process=this)
            for name, port in (("redis", 3), ("kafka-1", 1), ("registry", 4), ("postgres", 5), ("connect", 6))
        ),
        supervisor=this,
    )


def printed(directory: Path) -> tuple[int, str]:
    """Exit code and standard output of the command."""
    result = CliRunner().invoke(app, ["stack", "env", "--dir", str(directory)])
    return result.exit_code, result.stdout


def evaluated(commands: str, where: Path) -> dict[str, str]:
    """The variables of a shell that has evaluated the commands and had none before."""
    script = 'eval "$1"; exec env -0'
    result = subprocess.run(  # noqa: S603  # the output under test
        ["/bin/sh", "-c", script, "sh", commands],
        env={"PATH": os.environ["PATH"]},
        cwd=where,
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(line.split("=", 1) for line in result.stdout.split("\0") if line)


def test_a_shell_has_every_address_and_account(stack: Stack, tmp_path: Path) -> None:
    state.save(stack)

    code, output = printed(stack.directory)
    has = evaluated(output, tmp_path)

    assert code == 0
    wanted = {
        "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1,127.0.0.1:2",
        "FRAUDSTREAM_REDIS_URL": "redis://127.0.0.1:3/0",
        "FRAUDSTREAM_REDIS_PASSWORD_FILE": str(stack.redis_password_file),
        "FRAUDSTREAM_REGISTRY_URL": "http://127.0.0.1:4/apis/ccompat/v7",
        "FRAUDSTREAM_CDC_CONNECT_URL": "http://127.0.0.1:6",
        "REDISCLI_AUTH": "secret of redis",
        "PGHOST": "127.0.0.1",
        "PGPORT": "5",
        "PGDATABASE": "bank",
        "PGUSER": "bank",
        "PGPASSWORD": "it's $HOME",
    }
    assert wanted == {name: has.get(name) for name in wanted}
    assert [tmp_path / AWKWARD] == list(tmp_path.iterdir())


def test_a_stack_without_further_parts_has_no_variables_of_them(stack: Stack) -> None:
    plain = msgspec.structs.replace(stack, parts=stack.parts[:2], registry_url="", postgres_password="")

    found = environment.settings(plain) | environment.clients(plain)

    assert not [name for name in found if name.startswith(("PG", "FRAUDSTREAM_REG", "FRAUDSTREAM_CDC"))]


def test_the_settings_hold_no_password(stack: Stack) -> None:
    """`stack up` prints them."""
    shown = "\n".join(environment.exports(environment.settings(stack)))

    assert stack.redis_password not in shown
    assert stack.postgres_password not in shown


def test_a_shell_gets_nothing_from_a_stack_that_is_not_up(stack: Stack, tmp_path: Path) -> None:
    code, output = printed(tmp_path / "absent")
    assert (code != 0, output) == (True, "")

    broken = msgspec.structs.replace(stack.parts[0], process=None)
    state.save(msgspec.structs.replace(stack, parts=(broken,)))
    code, output = printed(stack.directory)
    assert (code != 0, output) == (True, "")
