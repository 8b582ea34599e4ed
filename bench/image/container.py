"""A container as the manifests run it: user 10001, no capability, a root file system that is read-only, and 64 MiB in /tmp.

It shares the network of this machine, where the Kafka of a run listens on loopback.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.image.builder import Image

USER = 10001
DATA_DIR = "/var/lib/fraudstream"
STOP_SECONDS = 60
HEALTH_SECONDS = 30


class Container:
    """A running container of an image, whose program gets ``words``. Its volume is in ``directory`` and outlives it.

    The image's own variables win over ``environment``.
    """

    def __init__(
        self, image: Image, directory: Path, words: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._name = f"fraudstream-{uuid4().hex[:8]}"
        self._volume = directory / "volume"
        self._log = directory / f"{self._name}.log"
        self._image = image
        self._state = ("runc", "--root", str(directory / "runc"))
        bundle = directory / self._name
        bundle.mkdir(parents=True)
        self._volume.mkdir(exist_ok=True)
        self._volume.chmod(0o700)
        os.chown(self._volume, USER, USER)
        (bundle / "config.json").write_text(json.dumps(self._described(words, environment)), encoding="utf-8")
        self._began = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own words
                [*self._state, "run", "--bundle", str(bundle), self._name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def age(self) -> float:
        """Return the seconds since its start."""
        return time.monotonic() - self._began

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another program in the container, as its user."""
        command = [*self._state, "exec", "--user", f"{USER}:{USER}", self._name, *words]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=HEALTH_SECONDS)  # noqa: S603  # ours

    def health(self) -> subprocess.CompletedProcess[str]:
        """Run the health check of the image."""
        _, *words = self._image.configuration["Healthcheck"]["Test"]  # the first is CMD
        return self.run(*words)

    def stop(self) -> int:
        """Ask the program to end, as a platform does; return its exit code."""
        self.send(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        subprocess.run([*self._state, "kill", self._name, number.name], check=True, capture_output=True)  # noqa: S603  # ours

    def clear_up(self) -> None:
        if self.running:
            self.send(signal.SIGKILL)
            self._process.wait(STOP_SECONDS)

    def _described(self, words: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
        configuration = self._image.configuration
        own = dict(entry.split("=", 1) for entry in configuration["Env"])
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": USER, "gid": USER},
                "args": [*configuration["Entrypoint"], *words],
                "env": [f"{name}={value}" for name, value in {**environment, **own}.items()],
                "cwd": configuration["WorkingDir"],
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "root": {"path": str(self._image.root), "readonly": True},
            "mounts": [
                _mount("/proc", "proc", "proc"),
                _mount("/dev", "tmpfs", "tmpfs", "nosuid", "mode=755", "size=64k"),
                _mount("/dev/shm", "tmpfs", "shm", "nosuid", "nodev", "mode=1777", "size=64m"),  # noqa: S108  # the container's
                _mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777", "size=64m"),  # noqa: S108  # the container's
                _mount("/etc/hosts", "bind", "/etc/hosts", "rbind", "ro"),
                _mount(DATA_DIR, "bind", str(self._volume), "rbind", "rw"),
            ],
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")]},
        }


def _mount(destination: str, kind: str, source: str, *options: str) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}
