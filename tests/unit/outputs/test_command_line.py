"""What a user of the command line meets: short help, completion, panels, refusals that list the choices, plain words."""

import ast
import logging
import logging.config
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.adapters.observability import logs
from app.cli import LISTED, app
from app.errors import ConfigurationError, InvalidReason
from app.rendering import printing
from app.settings import Settings
from app.training.recipe import read_recipe
from tests.support.paths import REPOSITORY

APP = REPOSITORY / "app"
WIDE = {"COLUMNS": "200", "TERM": "dumb"}
IN_LOGS = {
    "app/streaming/faust_app.py": "a log names the kind of an error as docs/guarantees.md does",
    "app/streaming/consumer/chunk_thread.py": "a log names the kind of an error as docs/guarantees.md does",
    "app/adapters/serde/avro_values.py": "the message of a dead letter is part of its format",
    "app/adapters/serde/json_codec.py": "the message of a dead letter is part of its format",
    "app/settings/kinds.py": "the representation of a struct, for debuggers",
}
"""Modules that write the name of an error's class, and why."""


@pytest.mark.parametrize("words", [["-h"], ["model", "-h"], ["model", "promote", "-h"], ["score", "-h"]])
def test_h_is_help(words: list[str]) -> None:
    shown = CliRunner().invoke(app, words, env=WIDE)

    assert (0, True) == (shown.exit_code, "--help" in shown.output)


def test_help_has_every_command_in_its_panel() -> None:
    lines = CliRunner().invoke(app, ["-h"], env=WIDE).output.splitlines()
    panel, found = "", {}
    for line in lines:
        if line.startswith("╭─"):
            panel = line.strip("╭─╮ ")
        elif line.startswith("│ ") and line[2] != " ":
            found[line.split()[1]] = panel

    assert {listed.name: listed.panel for listed in LISTED}.items() <= found.items()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("mo", {"model", "monitor"}),
        ("model pro", {"promote"}),
        ("worker --role ", {"risk", "entities", "analytics", "crm", "cases"}),
    ],
)
def test_the_shell_completes_commands_and_values(typed: str, offered: set[str]) -> None:
    words = f"fraudstream {typed}"
    asked = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
        "_FRAUDSTREAM_COMPLETE": "complete_bash",
    }
    done = subprocess.run(  # noqa: S603  # our own command
        [Path(sys.executable).with_name("fraudstream")],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=False,
    )

    assert offered == set(done.stdout.split())


def test_an_unknown_code_of_dead_letters_is_refused_with_the_known_ones() -> None:
    refused = CliRunner().invoke(app, ["dlq", "ls", "--code", "wrongtype"], env=WIDE)

    assert refused.exit_code == 2
    assert all(
        f"'{code}'" in refused.output.replace("\n", "")
        for code in (InvalidReason.WRONG_TYPE, InvalidReason.NOT_JSON)
    )


@pytest.mark.parametrize("given", [[], ["--fraud", "--mine"]])
def test_an_answer_of_a_customer_is_one_of_two(given: list[str]) -> None:
    refused = CliRunner().invoke(app, ["crm", "answer", "n1", *given], env=WIDE)

    assert (2, True) == (refused.exit_code, "give one of --fraud and --mine" in refused.output)


def test_no_option_has_an_opposite_that_silently_wins() -> None:
    """`--yes/--no` of click takes the last one."""
    assert [] == [
        path.name for path in (APP / "commands").rglob("*.py") if "/--" in path.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        (
            "FRAUDSTREAM_WORKER_ROLE",
            "cashier",
            "must be one of `analytics`, `cases`, `crm`, `entities`, `risk`",
        ),
        ("FRAUDSTREAM_TOPICS_PARTITIONS", "many", "must be an integer, at least 1"),
        ("FRAUDSTREAM_WORKER_STALL_SECONDS", "0", "must be a number, above 0"),
    ],
)
def test_a_wrong_value_of_a_setting_is_refused_with_what_it_must_be(name: str, given: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_env({name: given})

    assert f"{name}={given}: {told}" in str(refused.value)


def test_a_wrong_value_of_a_recipe_is_refused_with_the_choices(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('calibration = "sigmoi"\n', encoding="utf-8")

    with pytest.raises(
        ConfigurationError, match="`calibration` must be one of `isotonic`, `none`, `sigmoid`"
    ):
        read_recipe(path)


def test_no_message_holds_a_representation_or_the_name_of_a_class_of_python() -> None:
    found = {f"{path}:{line}" for path, line in _python_in_messages()}

    assert set() == {place for place in found if place.partition(":")[0] not in IN_LOGS}
    assert set(IN_LOGS) == {place.partition(":")[0] for place in found if place.partition(":")[0] in IN_LOGS}


def _python_in_messages() -> Iterator[tuple[str, int]]:
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FormattedValue) and (
                node.conversion == ord("r") or _names_an_error(node.value)
            ):
                yield path.relative_to(REPOSITORY).as_posix(), node.lineno


def _names_an_error(node: ast.expr) -> bool:
    """``error.__name__`` or ``type(error).__name__``; other classes are the product's or scikit-learn's, as users name them."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "__name__"
        and any(isinstance(inner, ast.Name) and inner.id in {"error", "self"} for inner in ast.walk(node))
    )


def test_logs_in_a_file_hold_no_colours(capfd: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logs.standard_config("console", "info"))
    try:
        logging.getLogger("app").warning("told")
    finally:
        logging.getLogger().handlers.clear()

    told = capfd.readouterr().err
    assert ("told" in told, "\x1b" in told) == (True, False)


@pytest.mark.parametrize("console", [False, True])
def test_only_a_console_has_names_of_columns_and_hints(
    console: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: console)

    printing.table(("MODEL", "ALIAS"), [("baseline/3", "champion"), ("a/1", "")])
    printing.hint("fraudstream worker")

    shown = capsys.readouterr()
    assert ["baseline/3  champion", "a/1"] == shown.out.splitlines()[-2:]
    assert (console, console) == ("MODEL" in shown.out, "next: fraudstream worker" in shown.err)
