"""``fraudstream catalog``: exit codes and output, without a broker."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.adapters.catalog_file.reader import BUILT_IN, content
from app.cli import app, exit_code
from app.errors import ConfigurationError, InvalidCatalog
from tests.unit.catalog.cases import HEAD


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["catalog", *arguments])


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    path = tmp_path / "wrong.toml"
    path.write_text(HEAD + 'widnow = "2h"\ncurrent = "no"\n', encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_sound_catalog_is_checked_with_0(name: str) -> None:
    found = run("check", name)

    assert found.exit_code == 0
    assert found.stdout.startswith(f"{name} is sound: ")
    assert json.loads(run("check", name, "--json").stdout)["mistakes"] == []


def test_a_wrong_catalog_is_checked_with_1_and_all_mistakes(wrong: str) -> None:
    found, as_json = run("check", wrong), run("check", wrong, "--json")

    assert (found.exit_code, as_json.exit_code) == (1, 1)
    assert found.stdout.splitlines() == [
        f"{wrong}:20: features[0].widnow: unknown key 'widnow'; did you mean 'window'?",
        f"{wrong}:21: features[0].current: 'no' is neither included nor excluded; write one of them",
    ]
    assert found.stderr == "2 mistakes\n"
    assert json.loads(as_json.stdout)["mistakes"][0] == {
        "line": 20,
        "key": "features[0].widnow",
        "message": "unknown key 'widnow'",
        "remedy": "did you mean 'window'?",
    }


@pytest.mark.parametrize("arguments", [("show", "{}"), ("diff", "baseline", "{}"), ("diff", "{}", "cards")])
def test_other_commands_refuse_a_wrong_catalog_with_2(arguments: tuple[str, ...], wrong: str) -> None:
    error = run(*(each.format(wrong) for each in arguments)).exception

    assert isinstance(error, InvalidCatalog)
    assert exit_code(error) == 2
    assert f"{wrong}:20: " in str(error)


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_file_that_does_not_exist_is_a_wrong_argument(command: str) -> None:
    error = run(command, "nowhere.toml").exception

    assert isinstance(error, ConfigurationError)
    assert exit_code(error) == 2


def test_the_baseline_is_shown_without_a_file() -> None:
    text, facts = run("show").stdout, json.loads(run("show", "--json").stdout)

    assert text == run("show", "baseline").stdout
    for feature in facts["features"]:
        for said in (
            feature["name"],
            feature["definition"],
            feature["meaning"],
            feature["unit"],
            feature["digest"],
        ):
            assert said in text
    assert [field["name"] for field in facts["fields"] if field["declared"]] == []


def test_catalogs_that_differ_are_compared_with_1(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = content("baseline").decode().replace('window = "30d"', 'window = "31d"', 1)
    path.write_text(text, encoding="utf-8")

    same, different = run("diff", "baseline", "baseline"), run("diff", "baseline", str(path))

    assert (same.exit_code, same.stdout) == (0, "The catalogs define the same.\n")
    assert different.exit_code == 1
    assert [line for line in different.stdout.splitlines() if "digest" not in line] == [
        "~ feature customer_count_30d",
        "    definition count, 30d -> count, 31d",
        "    => needs the log of the last 31d; state lacks transactions of 31d, not of 30d",
    ]
    (found,) = json.loads(run("diff", "baseline", str(path), "--json").stdout)["differences"]
    assert (found["how"], found["log_ms"]) == ("changed", 31 * 86_400_000)
