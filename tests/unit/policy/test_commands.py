"""``fraudstream policy``: exit codes and output, without a broker."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app, exit_code
from app.errors import ConfigurationError, InvalidPolicy
from tests.unit.policy.cases import CATALOG, HEAD, rule

MONEY = "money cannot be compared with a number: write an amount with its currency, as in 100 EUR"


@pytest.fixture
def catalog(tmp_path: Path) -> str:
    path = tmp_path / "catalog.toml"
    path.write_text(CATALOG, encoding="utf-8")
    return str(path)


def write(path: Path, text: str) -> str:
    path.mkdir()
    path.joinpath("policy.toml").write_text(text, encoding="utf-8")
    return str(path)


def run(catalog: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["policy", *arguments, "--catalog", catalog])


def test_a_sound_policy_is_checked_with_0(tmp_path: Path, catalog: str) -> None:
    folder = write(tmp_path / "sound", HEAD + rule(more='mode = "live"\n'))

    for named in (folder, f"{folder}/policy.toml"):
        found = run(catalog, "check", named)
        assert found.exit_code == 0
        assert (
            found.stdout
            == f"{folder}/policy.toml is sound: test/1, 1 rules (1 live), 0 tests, 0 bands, 2 lists\n"
        )
        assert found.stderr == "live rules without a test: r1\n"
    facts = json.loads(run(catalog, "check", folder, "--json").stdout)
    assert (facts["mistakes"], facts["live_rules_without_tests"]) == ([], ["r1"])


def test_a_wrong_policy_is_checked_with_1_and_all_mistakes(tmp_path: Path, catalog: str) -> None:
    folder = write(tmp_path / "wrong", HEAD + rule(when="amout > 5 EUR") + rule(2, "amount > 5"))
    found, as_json = run(catalog, "check", folder), run(catalog, "check", folder, "--json")

    assert (found.exit_code, as_json.exit_code) == (1, 1)
    assert found.stdout.splitlines() == [
        f"{folder}/policy.toml:9:9: rules[0].when: unknown field or feature 'amout'; did you mean 'amount'?",
        f"{folder}/policy.toml:18:18: rules[1].when: {MONEY}",
    ]
    assert found.stderr == "2 mistakes\n"
    assert json.loads(as_json.stdout)["mistakes"][0] == {
        "line": 9,
        "column": 9,
        "key": "rules[0].when",
        "message": "unknown field or feature 'amout'",
        "remedy": "did you mean 'amount'?",
    }


def test_a_policy_whose_own_test_fails_is_refused(tmp_path: Path, catalog: str) -> None:
    test = "[[rules.tests]]\ngiven = { score = 0.4 }\nexpect = true\n"
    found = run(catalog, "check", write(tmp_path / "failing", HEAD + rule(more=test)))

    assert found.exit_code == 1
    assert "rules[0].tests[0]: the rule 'r1' does not fire, and expect is true" in found.stdout


@pytest.mark.parametrize("arguments", [("show", "{0}"), ("diff", "{0}", "{1}"), ("diff", "{1}", "{0}")])
def test_other_commands_refuse_a_wrong_policy_with_2(
    arguments: tuple[str, ...], tmp_path: Path, catalog: str
) -> None:
    wrong = write(tmp_path / "wrong", HEAD + "[rule]\n")
    sound = write(tmp_path / "sound", HEAD)
    error = run(catalog, *(each.format(wrong, sound) for each in arguments)).exception

    assert isinstance(error, InvalidPolicy)
    assert exit_code(error) == 2
    assert f"{wrong}/policy.toml:7:2: " in str(error)


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_file_that_does_not_exist_is_a_wrong_argument(command: str, catalog: str) -> None:
    error = run(catalog, command, "nowhere").exception

    assert isinstance(error, ConfigurationError)
    assert exit_code(error) == 2


def test_a_policy_is_shown_by_precedence(tmp_path: Path, catalog: str) -> None:
    bands = '[[bands]]\nchannel = "ecom"\nreview = 0.3\ndecline = 0.8\n[deadline]\ndefault = "review"\n'
    block = rule(2).replace('then = "review"', 'then = "block"')
    folder = write(tmp_path / "shown", HEAD + rule() + block + bands)
    text, facts = (
        run(catalog, "show", folder).stdout,
        json.loads(run(catalog, "show", folder, "--json").stdout),
    )

    assert text.index("    r2\n") < text.index("    r1\n")
    assert "review 0.3, decline 0.8: channel == 'ecom'" in text
    assert "thresholds of the model: every other transaction" in text
    assert [each["id"] for each in facts["rules"]] == ["r1", "r2"]
    assert facts["deadline"] == {"default": "review"}
    assert facts["holdout"] is None


def test_policies_that_differ_are_compared_with_1(tmp_path: Path, catalog: str) -> None:
    old = write(tmp_path / "old", HEAD + rule() + rule(2))
    new = write(tmp_path / "new", HEAD + rule(1, "score >= 0.6") + rule(3))

    same, different = run(catalog, "diff", old, old), run(catalog, "diff", old, new)

    assert (same.exit_code, same.stdout) == (0, "The policies define the same.\n")
    assert different.exit_code == 1
    lines = different.stdout.splitlines()
    assert lines[:3] == ["~ rule r1", "    when score >= 0.5 -> score >= 0.6", "+ rule r3"]
    assert "- rule r2" in lines
    found = json.loads(run(catalog, "diff", old, new, "--json").stdout)["differences"]
    assert [(each["name"], each["how"]) for each in found] == [
        ("r1", "changed"), ("r3", "added"), ("r2", "removed"),
    ]  # fmt: skip
