"""Links, headings, commands, options, settings, modules and files named in the documents exist."""

import json
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.decision import Alert
from app.features.catalog import FEATURES
from tests.support import command_lines
from tests.support.command_lines import WrongCommand
from tests.support.documents import (
    anchors,
    broken_links,
    documents,
    fences,
    inline_code,
    title,
    without_fences,
    without_link_targets,
)
from tests.support.paths import REPOSITORY

COMMANDS = "sh"
UNCHECKED = {"text"}
PARSERS: dict[str, Any] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": import_module("yaml").safe_load,
    "python": lambda text: compile(text, "a document", "exec"),
}
INLINE_COMMAND = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:fraudstream|make|python -m|pip install) ")
FOLDERS = ("app", "bench", "deploy", "docs", "models", "tests")
SOURCE_FILE = re.compile(r"^[\w./-]+\.(?:py|yaml)$")

every_document = pytest.mark.parametrize("path", documents(), ids=title)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@every_document
def test_relative_links_and_anchors_exist(path: Path) -> None:
    assert list(broken_links(path, read(path))) == []


@every_document
def test_a_fenced_block_names_a_language_that_is_checked(path: Path) -> None:
    languages = {fence.language for fence in fences(read(path))}

    assert languages <= {COMMANDS, "sql", *PARSERS, *UNCHECKED}


@every_document
def test_blocks_of_data_and_code_parse(path: Path) -> None:
    for fence in fences(read(path)):
        if fence.language in PARSERS:
            PARSERS[fence.language](fence.text)


@every_document
def test_blocks_of_sql_parse(path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    for fence in fences(read(path)):
        if fence.language == "sql":
            assert duckdb.extract_statements(fence.text)


@every_document
def test_commands_in_blocks_exist_and_are_complete(path: Path) -> None:
    assert list(wrong_commands(read(path))) == []


@every_document
def test_commands_in_sentences_exist(path: Path) -> None:
    assert list(wrong_inline_commands(read(path))) == []


@every_document
def test_settings_exist(path: Path) -> None:
    assert list(unknown_settings(read(path))) == []


@every_document
def test_files_exist(path: Path) -> None:
    assert list(missing_files(read(path))) == []


def wrong_commands(text: str) -> Iterator[str]:
    for fence in fences(text):
        if fence.language == COMMANDS:
            yield from problems(command_lines.commands(fence.text), complete=True)


def wrong_inline_commands(text: str) -> Iterator[str]:
    """An ellipsis in a sentence replaces arguments; optional ones are in brackets."""
    for code in inline_code(text):
        if INLINE_COMMAND.match(code + " ") and not code.startswith("make "):
            yield from problems([code.replace("'", "").split()], complete=False)
        elif re.fullmatch(r"(?:[A-Z_]+=\S+ )*make [a-z-]+(?: [A-Z_]+=\S+)*", code):
            yield from problems([code.split()], complete=False)


def problems(commands: Any, *, complete: bool) -> Iterator[str]:
    for words in commands:
        try:
            command_lines.check([word for word in words if word != ">"], complete=complete)
        except WrongCommand as error:
            yield str(error)


def unknown_settings(text: str) -> Iterator[str]:
    """A name that ends in an underscore, before `*` or an ellipsis, means all settings with this prefix."""
    known = command_lines.settings()
    for name in set(re.findall(r"FRAUDSTREAM_[A-Z0-9_]+", text)):
        if name not in known and not (name.endswith("_") and any(k.startswith(name) for k in known)):
            yield name


def missing_files(text: str) -> Iterator[str]:
    paths = rf"(?<![\w./:-])(?:{'|'.join(FOLDERS)})/[\w.*/-]*\w"
    prose = without_fences(without_link_targets(text))
    for name in {*re.findall(paths, prose), *re.findall(paths, sources(text))}:
        # A place holder in capitals: models/NAME/VERSION.
        if not re.search(r"/[A-Z]{4,}", name) and not any(REPOSITORY.glob(name)):
            yield name
    for name in inline_code(text):
        if SOURCE_FILE.match(name) and not name.startswith(("/", ".")) and not known_source(name):
            yield name


def sources(text: str) -> str:
    """Command blocks without the names of output files."""
    blocks = "\n".join(fence.text for fence in fences(text) if fence.language == COMMANDS)
    return re.sub(r"--out \S+|> \S+", "", blocks)


def known_source(name: str) -> bool:
    return (REPOSITORY / name).exists() or any(any((REPOSITORY / folder).rglob(name)) for folder in FOLDERS)


@pytest.mark.parametrize(
    "line",
    [
        "fraudstream modell list",
        "fraudstream --versions",
        "fraudstream model promote",
        "fraudstream worker --roll risk",
        "fraudstream worker --role cashier",
        "fraudstream monitor --interval soon",
        "fraudstream stack up --with",
        "fraudstream drift one.parquet two.parquet",
        "make dmeo",
        "DEMO_MINUTES=1 make demo",
        "python -m bench.thruput",
        "python -m bench.latency --second 8",
        "python -m pytest tests/unit/nowhere",
        "export FRAUDSTREAM_KAFKA_BOOTSTRAP=broker:9092",
        'eval "$(fraudstream stack environment)"',
        "pip install 'fraudstream[everything]'",
        "fraudstrea worker",
    ],
)
def test_a_wrong_command_is_found(line: str) -> None:
    assert list(wrong_commands(f"```sh\n{line}\n```\n"))


def test_a_wrong_command_in_a_sentence_is_found() -> None:
    assert list(wrong_inline_commands("Ask `fraudstream model\nstate` or `make tset`.")) != []


def test_a_link_to_a_missing_file_or_heading_is_found() -> None:
    text = "# One\n[a](nowhere.md) [b](#two) [c](#one) [d](docs/metrics.md#three)\n"

    assert [problem.partition(":")[0] for problem in broken_links(REPOSITORY / "README.md", text)] == [
        "nowhere.md",
        "#two",
        "docs/metrics.md#three",
    ]


def test_a_missing_setting_or_file_is_found() -> None:
    assert list(unknown_settings("`FRAUDSTREAM_WORKER_CORES`, `FRAUDSTREAM_WORKER_*`")) == [
        "FRAUDSTREAM_WORKER_CORES"
    ]
    assert set(missing_files("`app/streaming/line.py`, `holding.py`, app/domain, models/NAME/VERSION")) == {
        "app/streaming/line.py",
        "holding.py",
    }


def test_anchors_are_those_of_the_headings() -> None:
    assert anchors("## `explain`: why?\n```sh\n# a comment\n```\n") == {"explain-why"}


def test_the_alert_of_the_readme_is_an_alert() -> None:
    (block,) = (fence.text for fence in fences(read(REPOSITORY / "README.md")) if fence.language == "json")
    alert = msgspec.json.decode(block.encode(), type=Alert)

    assert len(alert.features) == len(FEATURES)
    assert set(alert.snapshot) <= {feature.name for feature in FEATURES}
    assert {reason.code for reason in alert.reasons} <= set(alert.snapshot)
