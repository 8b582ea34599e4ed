"""The packages that a lock file pins for a version of Python."""

from packaging.requirements import Requirement

from tests.support.paths import REPOSITORY


def lines(lock: str) -> list[str]:
    """The requirements of a lock, without hashes."""
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    return [line.removesuffix("\\").strip() for line in text.splitlines() if line and line[0].isalnum()]


def environment_of(python: str) -> dict[str, str]:
    """The values of markers on Linux on x86-64."""
    return {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
    }


def pinned(lock: str, python: str) -> dict[str, str]:
    """The version of each package that pip installs from a lock on Linux."""
    environment = environment_of(python)
    found = [Requirement(line) for line in lines(lock)]
    return {
        one.name: str(one.specifier)
        for one in found
        if one.marker is None or one.marker.evaluate(environment)
    }
