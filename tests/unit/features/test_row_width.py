"""Every assembler of rows fails at import when it writes another number of columns than the catalog lists."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec, module_from_spec
from pathlib import Path

import pytest

from app.features import catalog, vector

APP = Path(__file__).parents[3] / "app"
ASSEMBLERS = ["app.features.vector", "app.features.delayed_features", "app.scoring.scorer"]


def import_again(name: str) -> None:
    """Run a module's code a second time, beside the module that is in use."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(module_from_spec(spec))


@pytest.mark.parametrize("assembler", ASSEMBLERS)
def test_an_assembler_with_the_width_of_the_catalog_is_imported(assembler: str) -> None:
    import_again(assembler)


@pytest.mark.parametrize(
    ("assembler", "column"),
    [("app.features.vector", 0), ("app.features.delayed_features", -1), ("app.scoring.scorer", -1)],
)
@pytest.mark.parametrize("change", [1, -1])
def test_another_width_than_the_catalogs_fails_at_import(
    assembler: str, column: int, change: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One feature is added to, or removed from, the catalog's columns of the assembler."""
    profile, others = catalog.NAMES[catalog.PROFILE], catalog.NAMES[catalog.DELAYED]
    grown = profile if column == 0 else others
    grown = (*grown, "customer_shoe_size") if change > 0 else grown[:-1] if column else grown[1:]
    profile, others = (grown, others) if column == 0 else (profile, grown)
    monkeypatch.setattr(catalog, "NAMES", (*profile, *others))
    monkeypatch.setattr(catalog, "PROFILE", slice(0, len(profile)))
    monkeypatch.setattr(catalog, "DELAYED", slice(len(profile), len(profile) + len(others)))
    monkeypatch.setattr(catalog, "WIDTH", len(profile) + len(others))

    with pytest.raises(ImportError, match=r"columns, but app/features/catalog\.py lists \d+ features"):
        import_again(assembler)


def test_a_column_of_a_feature_that_is_not_listed_is_an_error() -> None:
    assert 0 == catalog.column("transaction_amount")
    with pytest.raises(ImportError, match="lists no feature customer_shoe_size"):
        catalog.column("customer_shoe_size")


def test_a_process_does_not_start_with_a_feature_that_no_assembler_writes(tmp_path: Path) -> None:
    for package in ("domain", "expressions", "catalog", "features", "profiles", "computation", "scoring"):
        shutil.copytree(
            APP / package, tmp_path / "app" / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for module in ("__init__.py", "errors.py"):
        shutil.copy(APP / module, tmp_path / "app")
    source = tmp_path / "app" / "features" / "catalog.py"
    written = source.read_text()
    last = "\n\n_OF_PROFILE = "
    source.write_text(
        written.replace(last, f'    yield Feature("customer_shoe_size", entity, "1", "shoe size")\n{last}', 1)
    )
    assert written != source.read_text()

    ended = subprocess.run(
        [sys.executable, "-c", "import app.scoring.scorer"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert (
        f"ImportError: app.features.vector writes {vector.WIDTH} columns, but app/features/catalog.py lists "
        f"{vector.WIDTH + 1} features for it (transaction_amount to customer_shoe_size)."
    ) in ended.stderr
