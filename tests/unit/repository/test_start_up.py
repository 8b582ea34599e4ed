"""A command imports what it needs and nothing that takes long besides; how long it takes is measured by bench.startup."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import LISTED, load
from tests.support.paths import REPOSITORY

LEARNING = {"sklearn", "scipy.stats", "scipy.special", "skops", "pandas", "matplotlib"}
HEAVY = LEARNING | {"numpy", "numba", "pyarrow", "faust", "aiokafka", "aiohttp", "redis", "confluent_kafka"}
SECONDS = 120


def imported(code: str, **environment: str) -> set[str]:
    """The modules that a process has imported after running ``code``."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FRAUDSTREAM_")}
    ended = subprocess.run(  # noqa: S603  # our own code
        [
            sys.executable,
            "-c",
            f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)), file=sys.stderr)",
        ],
        check=True,
        cwd=REPOSITORY,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    return set(json.loads(ended.stderr.splitlines()[-1]))


def called(*arguments: str) -> str:
    """Code that runs ``fraudstream`` with these arguments."""
    return (
        f"import sys\nsys.argv = ['fraudstream', *{arguments}]\nfrom app.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code"
    )


def test_help_imports_no_command_and_no_large_library() -> None:
    modules = imported(called("--help"))

    assert not modules & HEAVY
    assert not {name for name in modules if name.startswith("app.commands.")}


@pytest.mark.parametrize("name", [listed.name for listed in LISTED])
def test_the_list_of_commands_has_the_first_paragraph_of_their_own_help(name: str) -> None:
    listed = next(each for each in LISTED if each.name == name)

    own = inspect.cleandoc(load(name).help).split("\n\n")[0]

    assert " ".join(own.split()) == listed.help


def test_the_help_of_the_worker_imports_no_large_library() -> None:
    modules = imported(called("worker", "--help"))

    assert not modules & HEAVY
    assert {"app.commands.operate", "app.commands.operate.worker"} == {
        name for name in modules if name.startswith("app.commands.")
    }


@pytest.mark.parametrize(
    ("role", "others"),
    [
        ("risk", {"app.streaming.roles.crm", "app.streaming.roles.entities", "app.streaming.roles.analytics", "pyarrow"}),
        ("entities", {"app.streaming.roles.risk", "app.adapters.models.bundles", "pyarrow"}),
        ("crm", {"app.streaming.roles.risk", "app.adapters.models.bundles", "pyarrow", "redis"}),
        ("cases", {"app.streaming.roles.risk", "app.adapters.models.bundles", "pyarrow", "redis"}),
        ("analytics", {"app.streaming.roles.risk", "app.adapters.models.bundles", "redis"}),
    ],
)  # fmt: skip
def test_a_worker_imports_its_own_role_and_no_learning_library(
    tmp_path: Path, role: str, others: set[str]
) -> None:
    modules = imported(
        "import app.worker", FRAUDSTREAM_WORKER_ROLE=role, FRAUDSTREAM_WORKER_DATA_DIR=str(tmp_path)
    )

    assert f"app.streaming.roles.{role}" in modules
    assert not modules & (LEARNING | others)


def test_a_champion_that_was_compared_before_is_loaded_without_scikit_learn(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\nfrom app.adapters.models.bundles import Loading, champion\n"
        "from app.adapters.models.comparisons import Comparisons\n"
        f"loading = Loading(backend='compiled', comparisons=Comparisons(Path({str(tmp_path)!r})))\n"
        "champion(Path('models'), '', loading)"
    )
    assert imported(code) >= {"sklearn", "skops", "pyarrow"}

    assert not imported(code) & (LEARNING | {"pyarrow"})
