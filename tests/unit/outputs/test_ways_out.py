"""Every way to a console, a log, an HTML page or a CSV file leads through the sanitiser. A new one that does not fails here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY

APP = REPOSITORY / "app"
SAFE = {
    "app/rendering/printing.py",
    "app/rendering/console.py",
    "app/adapters/observability/logs.py",
}
"""The sanitising ways out."""
OF_THE_PROGRAM = {
    "app/metrics/__main__.py": "prints a generated page of the documentation",
    "app/settings/page.py": "prints a generated page of the documentation",
    "app/operations/cluster_metrics.py": "prints a generated page of the documentation",
    "app/console_script.py": "prints where Python found a package, before ours can be imported",
    "app/operations/container_health.py": "prints lines that have passed safe_text; a console is slow to import",
    "app/local/java/jars.py": "prints names of lock files",
}
"""Modules that print without sanitising, and why nothing of another party is in it."""
UNSAFE_CALLS = {
    "print": "printing.line",
    "pprint": "printing.line",
    "typer.echo": "printing.line",
    "typer.secho": "printing.line",
    "typer.confirm": "printing.confirm",
    "typer.prompt": "printing.confirm",
    "click.echo": "printing.line",
    "click.secho": "printing.line",
    "Console": "SafeConsole",
    "rich.print": "SafeConsole",
    "rich.console.Console": "SafeConsole",
    "rich.get_console": "SafeConsole",
    "Text.from_markup": "Text",
    "Text.from_ansi": "Text",
    "Markdown": "Text",
    "sys.stdout.write": "printing.line",
    "sys.stderr.write": "printing.line",
    "sys.stdout.writelines": "printing.lines",
    "sys.stderr.writelines": "printing.lines",
    "sys.stdout.buffer.write": "printing.raw",
    "sys.stderr.buffer.write": "printing.raw",
    "os.write": "printing.raw",
    "traceback.print_exc": "printing.error",
    "traceback.print_exception": "printing.error",
    "logging.StreamHandler": "logs.standard_config",
    "logging.basicConfig": "logs.standard_config",
    "html.escape": "safe_text.in_html",
    "escape": "safe_text.in_html",
    "csv.writer": "TableWriter",
    "csv.DictWriter": "TableWriter",
    "pyarrow.csv.write_csv": "TableWriter",
}


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The dotted name and the line of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def unsafe(source: str) -> list[str]:
    return [
        f"line {line}: {name}; use {UNSAFE_CALLS[name]}"
        for name, line in calls(ast.parse(source))
        if name in UNSAFE_CALLS
    ]


def modules() -> list[str]:
    return sorted(str(path.relative_to(REPOSITORY)) for path in APP.rglob("*.py"))


@pytest.mark.parametrize(
    "module",
    [name for name in modules() if name not in SAFE | OF_THE_PROGRAM.keys() | {"app/domain/safe_text.py"}],
)
def test_a_module_prints_only_by_the_sanitising_ways(module: str) -> None:
    assert [] == unsafe(Path(REPOSITORY, module).read_text("utf-8"))


@pytest.mark.parametrize("call", sorted(UNSAFE_CALLS))
def test_each_other_way_is_noticed(call: str) -> None:
    assert unsafe(f"def f(value):\n    {call}(value)")


def test_the_exceptions_exist_and_are_needed() -> None:
    assert SAFE <= set(modules())
    for module in OF_THE_PROGRAM:
        assert unsafe(Path(REPOSITORY, module).read_text("utf-8")), module


def test_csv_files_are_written_in_one_place() -> None:
    writers = [name for name in modules() if "CSVWriter" in Path(REPOSITORY, name).read_text("utf-8")]

    assert ["app/adapters/tabular/table_writer.py"] == writers
