"""Files that come with the program: found, listed and copied."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import shipped
from app.adapters.models.aliases import bundle_path, read_aliases
from app.cli import app
from app.demo.models import with_models
from app.errors import ConfigurationError
from app.settings import Settings
from app.shipped import copying


def test_the_shipped_models_have_a_champion() -> None:
    models = shipped.folder("models")

    assert bundle_path(models, read_aliases(models).champion).is_dir()


@pytest.mark.parametrize("name", shipped.NAMES)
def test_a_folder_is_listed_and_copied_as_a_whole(name: shipped.Name, tmp_path: Path) -> None:
    here = shipped.folder(name)
    listed = CliRunner().invoke(app, ["files", "list"]).output.splitlines()

    copied = copying.copy(name, tmp_path / "copy")

    assert [line for line in listed if line.split() == [name, str(copied), "files", str(here)]]
    for file in copying.contents(here):
        assert (tmp_path / "copy" / file).read_bytes() == (here / file).read_bytes()


def test_the_default_target_is_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, ["files", "copy", "models"])

    assert result.exit_code == 0
    assert "files in models" in result.output
    assert (tmp_path / "models" / "aliases.toml").is_file()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    kept = tmp_path / "models" / "aliases.toml"
    kept.parent.mkdir()
    kept.write_text("mine", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="--to"):
        copying.copy("models", tmp_path / "models")

    assert kept.read_text(encoding="utf-8") == "mine"


def test_a_target_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="cannot be written"):
        copying.copy("models", tmp_path / "file" / "models")


def test_a_demo_uses_the_shipped_models_only_where_there_are_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings()

    assert with_models(settings, {}).model.dir == str(shipped.folder("models"))
    assert with_models(settings, {"FRAUDSTREAM_MODEL_DIR": "models"}) == settings

    copying.copy("models", Path("models"))
    assert with_models(settings, {}) == settings


def test_a_directory_without_models_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, ["model", "list"])

    assert result.exit_code == 0
    assert str(tmp_path / "models") in result.output
    assert "fraudstream files copy models" in result.output


def test_the_json_of_a_directory_without_models_stays_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert CliRunner().invoke(app, ["model", "list", "--json"]).output.split() == [
        "{",
        '"models":',
        "[]",
        "}",
    ]
