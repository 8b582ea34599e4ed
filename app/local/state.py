"""``stack.json``: the running parts by pid, creation time and port. The file exists while the stack is up."""

from pathlib import Path
from typing import Any

import msgspec

from app.adapters.disk import durable_file
from app.errors import StackError
from app.local.processes import Process, is_alive
from app.settings import RedisSettings

FILE = "stack.json"
BROKER_PREFIX = "kafka-"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One server process of the stack and the command that starts it."""

    name: str
    port: int
    log: Path
    command: tuple[str, ...]
    environment: dict[str, str] = {}
    """Besides that of the supervisor; for secrets, because `ps` shows the words of a command."""
    process: Process | None = None
    """None until the supervisor has started it."""

    @property
    def alive(self) -> bool:
        return self.process is not None and is_alive(self.process)

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0


class Broker(msgspec.Struct, frozen=True):
    """One Kafka broker of a stack that is up."""

    id: int
    pid: int
    port: int


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """A local stack: its addresses and its processes."""

    directory: Path
    cluster_id: str
    bootstrap_servers: str
    redis_url: str
    parts: tuple[Part, ...]
    redis_password_file: Path = Path()
    registry_url: str = ""
    """Empty when the stack has no schema registry."""
    postgres_password: str = ""
    """Empty when the stack has no database."""
    supervisor: Process | None = None

    @property
    def brokers(self) -> tuple[Broker, ...]:
        return tuple(
            Broker(int(part.name.removeprefix(BROKER_PREFIX)), part.pid, part.port)
            for part in self.parts
            if part.name.startswith(BROKER_PREFIX)
        )

    @property
    def redis(self) -> RedisSettings:
        """The settings of a client of this Redis."""
        return RedisSettings(url=self.redis_url, password_file=str(self.redis_password_file))

    @property
    def redis_environment(self) -> dict[str, str]:
        """The same as environment variables."""
        return {
            "FRAUDSTREAM_REDIS_URL": self.redis_url,
            "FRAUDSTREAM_REDIS_PASSWORD_FILE": str(self.redis_password_file),
        }

    @property
    def redis_password(self) -> str:
        """The password of this Redis, for clients of other libraries; empty before it is written."""
        file = self.redis_password_file
        return file.read_text(encoding="utf-8").strip() if file.is_file() else ""

    @property
    def dead(self) -> tuple[Part, ...]:
        """The parts that do not run."""
        return tuple(part for part in self.parts if not part.alive)

    @property
    def supervised(self) -> bool:
        return self.supervisor is not None and is_alive(self.supervisor)

    @property
    def processes(self) -> list[Process]:
        """Every recorded process, the supervisor last."""
        recorded = [part.process for part in self.parts] + [self.supervisor]
        return [process for process in recorded if process is not None]


def load(directory: Path) -> Stack | None:
    """Return the stack recorded in the directory; None if there is none."""
    file = directory / FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=Stack, dec_hook=_from_text)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise StackError(
            f"{file} cannot be read ({error}). If this machine restarted since, no process of the stack runs: delete the "
            "file. Otherwise end the processes listed in it first. The data of the stack stays where it is."
        ) from error


def save(stack: Stack) -> None:
    """Replace the file atomically and durably: a reader sees the old content or the new one."""
    content = msgspec.json.format(msgspec.json.encode(stack, enc_hook=str), indent=2)
    durable_file.replace(stack.directory / FILE, content)


def _from_text(kind: type[Any], text: str) -> Any:
    return kind(text)
