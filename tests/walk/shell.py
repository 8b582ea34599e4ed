"""One shell that runs the commands of the pages one after the other, so that exports and background processes last."""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from app.local.java.jars import cache_directory
from tests.support.paths import REPOSITORY

ENDED = "command-ended"
LINKED = ("app", "bench", "tests", "pyproject.toml")
COPIED = ("deploy", "docs", "models")
"""What commands of the pages name; they write into the copied folders."""


class Done(NamedTuple):
    """The end of a command."""

    code: int
    output: str
    errors: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.output[-2000:]}\n{self.errors[-3000:]}"


class Shell:
    """A bash in a folder that looks like a clone, with nothing of the user's own in its environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._printed = folder / ".printed"
        self._printed.mkdir()
        self._commands = 0
        self._mark_read, mark_write = os.pipe()
        os.set_inheritable(mark_write, True)
        self._mark = mark_write
        self._process = subprocess.Popen(  # bash, for commands of our own pages
            ["/bin/bash"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            pass_fds=[mark_write],
            start_new_session=True,
        )

    def run(self, command: str, seconds: float) -> Done:
        """Run a command to its end. Raises TimeoutError with what it has printed."""
        self._commands += 1  # files of its own for each: one that runs in the background still writes
        out, err = (self._printed / f"{self._commands}.{kind}" for kind in ("out", "err"))
        script = f"{{ {command}\n}} >{out} 2>{err} </dev/null\necho {ENDED} $? >&{self._mark}\n"
        assert self._process.stdin is not None
        self._process.stdin.write(script.encode())
        self._process.stdin.flush()
        said = self._read_mark(time.monotonic() + seconds)
        done = Done(int(said or -1), _read(out), _read(err))
        if not said:
            raise TimeoutError(f"`{command}` has not ended after {seconds:.0f} s: {done}")
        return done

    def printed(self) -> Iterator[str]:
        """What each command has printed by now, those in the background included."""
        yield from map(_read, sorted(self._printed.iterdir()))

    def _read_mark(self, deadline: float) -> str:
        said = ""
        while not said.endswith("\n"):
            if not select.select([self._mark_read], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return ""
            said += os.read(self._mark_read, 100).decode()
        return said.removeprefix(ENDED).strip()

    def close(self) -> None:
        """End the shell and what runs in its background."""
        os.killpg(self._process.pid, signal.SIGTERM)
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._mark)
        os.close(self._mark_read)


def clone(folder: Path) -> Path:
    """Make a folder in which commands of the pages find what they name."""
    for name in LINKED:
        (folder / name).symlink_to(REPOSITORY / name)
    for name in COPIED:
        shutil.copytree(REPOSITORY / name, folder / name)
    return folder


def new_user(home: Path) -> dict[str, str]:
    """The environment of a new user: an empty home directory, no setting, the command on the path."""
    jars = home / ".cache" / "fraudstream" / "jars"
    jars.parent.mkdir(parents=True)
    jars.symlink_to(cache_directory())  # downloads are tested elsewhere
    own = {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
    }
    kept = ("NUMBA_CACHE_DIR", "TMPDIR")
    return own | {name: os.environ[name] for name in kept if name in os.environ}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
