"""Builds the image of this checkout. No registry of images is needed: debootstrap makes the base from Debian's packages."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.harness.worker_process import REPOSITORY

PROGRAMS = ("buildah", "debootstrap", "runc")
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
BASE = f"localhost/fraudstream-base:{SUITE}"
IMAGE = "localhost/fraudstream:test"
VERSION, REVISION = "1.2.3", "0123abc"
BUILD_SECONDS = 1800
LOG_TAIL = 3_000
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
STORAGE = Path.home() / ".cache" / "fraudstream" / "buildah"
"""Of the layers, so that only the first build takes minutes."""


class Image(NamedTuple):
    """The built image: its configuration, as Docker has it, and its root file system."""

    configuration: Mapping[str, Any]
    root: Path


def missing(path: str | None = None) -> str:
    """Return why no image can be built here with the programs on a path, by default PATH; empty if one can."""
    if os.geteuid() != 0:
        return "debootstrap and runc need root"
    absent = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    return f"not installed: {', '.join(absent)} (packages of Debian)" if absent else ""


@contextmanager
def built() -> Iterator[Image]:
    """Build the image of this checkout; yield it with its root file system mounted."""
    buildah = Builder(STORAGE)
    buildah.build()
    container, root = buildah.root()
    try:
        yield Image(buildah.inspect(), root)
    finally:
        buildah.remove(container)


class Builder:
    """buildah with a storage of its own."""

    def __init__(self, storage: Path) -> None:
        run = Path(tempfile.mkdtemp(prefix="fraudstream-buildah-"))
        self._options = ("--root", str(storage), "--runroot", str(run))

    def run(self, *words: str) -> str:
        """Run a command of buildah; return its standard output. A failure shows the end of its error output."""
        command = ["buildah", *self._options, *words]
        done = subprocess.run(  # noqa: S603  # our own words
            command, check=False, capture_output=True, text=True, timeout=BUILD_SECONDS, cwd=REPOSITORY
        )
        if done.returncode:
            raise RuntimeError(
                f"buildah {' '.join(words)}:\n{done.stdout[-LOG_TAIL:]}\n{done.stderr[-LOG_TAIL:]}"
            )
        return done.stdout.strip()

    def has(self, image: str) -> bool:
        return image in self.run("images", "--format", "{{.Name}}:{{.Tag}}").split()

    def build(self) -> None:
        """Build the image, and its base if that was not built before."""
        if not self.has(BASE):
            self._build_base()
        arguments = {"BASE": BASE, "VERSION": VERSION, "REVISION": REVISION}
        self.run(
            "build",
            *("--layers", "--pull-never", "--isolation", "chroot", "--format", "docker", "--tag", IMAGE),
            *(word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")),
            ".",
        )

    def inspect(self) -> dict[str, Any]:
        """Return the configuration of the image, as Docker has it."""
        found = json.loads(self.run("inspect", "--type", "image", IMAGE))
        return dict(found["Docker"]["config"])

    def root(self) -> tuple[str, Path]:
        """Return a container of the image and the path of its root file system."""
        container = self.run("from", "--pull-never", IMAGE)
        return container, Path(self.run("mount", container))

    def remove(self, container: str) -> None:
        self.run("rm", container)

    def _build_base(self) -> None:
        with tempfile.TemporaryDirectory(prefix="fraudstream-base-") as root:
            command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, root]
            subprocess.run(command, check=True, timeout=BUILD_SECONDS, stdout=subprocess.DEVNULL)  # noqa: S603  # our own words
            (Path(root) / "usr/bin/python").symlink_to("python3")
            # Behind a proxy with an authority of its own, packages can be fetched with this machine's authorities only.
            shutil.copyfile(AUTHORITIES, Path(root) / AUTHORITIES.relative_to("/"))
            container = self.run("from", "scratch")
            self.run("add", "--quiet", container, root, "/")
            self.run("commit", "--quiet", "--rm", container, BASE)
