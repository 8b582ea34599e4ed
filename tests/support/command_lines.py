"""Command lines in documents, held against the real command line, the Makefile, the modules and the settings."""

import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import typer
from typer.exceptions import TyperException

from app.cli import app
from app.settings import setting_names
from tests.support.paths import REPOSITORY

ELSEWHERE = {
    "cd",
    "cp",
    "curl",
    "docker",
    "git",
    "helm",
    "kill",
    "kubectl",
    "openssl",
    "oras",
    "psql",
    "rm",
    "uv",
}
"""Programs that are not the project's: their arguments are not checked."""

_ASSIGNMENT = re.compile(r"^([A-Z][A-Z0-9_]*)=")
_BETWEEN_COMMANDS = {"&&", "||", "|", ";", "&"}
_REDIRECTIONS = {">", ">>", "<"}
_CHECKED_VALUES = {"TyperChoice", "IntParamType", "IntRange", "FloatParamType", "FloatRange"}


class WrongCommand(Exception):
    """A command line of a document that the project does not have."""


def commands(block: str) -> Iterator[list[str]]:
    r"""The words of every command of a block, without comments and redirections.

    >>> list(commands("make setup && fraudstream worker &  # one\n"))
    [['make', 'setup'], ['fraudstream', 'worker']]
    """
    for line in block.replace("\\\n", " ").splitlines():
        words: list[str] = []
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        for word in lexer:
            if word in _BETWEEN_COMMANDS:
                yield from [words] if words else []
                words = []
            else:
                words.append(word)
        if words:
            yield [word for at, word in enumerate(words) if not _redirected(words, at)]


def _redirected(words: Sequence[str], at: int) -> bool:
    return words[at] in _REDIRECTIONS or (at > 0 and words[at - 1] in _REDIRECTIONS)


def check(words: Sequence[str], *, complete: bool = True) -> None:
    """Raise WrongCommand for a command that does not exist; an incomplete one may lack required arguments."""
    rest = list(words)
    variables = []
    while rest and (found := _ASSIGNMENT.match(rest[0])):
        variables.append(found[1])
        rest.pop(0)
    if rest[:1] == ["export"]:
        variables += [word.partition("=")[0] for word in rest[1:]]
        rest = []
    if rest[:1] == ["eval"]:  # of what a command prints: eval "$(fraudstream stack env)"
        rest = shlex.split(rest[1].removeprefix("$(").removesuffix(")"))
    program = rest[0].rpartition("/")[2] if rest else ""
    if program == "make":
        _check_make(rest[1:], variables)
        return
    _check_variables(variables)
    if rest:
        _check_program(program, rest, complete=complete)


def _check_program(program: str, words: Sequence[str], *, complete: bool) -> None:
    if program == "fraudstream":
        for alternative in _alternatives(words[1:]):
            _check_fraudstream(alternative, complete=complete)
    elif program in {"python", "python3"}:
        _check_python(words[1:])
    elif program == "faust":
        _check_module(words[words.index("-A") + 1])
    elif program == "pip":
        _check_extras(words)
    elif program == "." and words[1].startswith(".venv"):
        pass
    elif program not in ELSEWHERE:
        raise WrongCommand(f"{program}: neither a program of the project nor one of {sorted(ELSEWHERE)}")


def _alternatives(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """`model promote|rollback` is both."""
    yield from product(*(word.split("|") for word in words))


def _check_fraudstream(words: Sequence[str], *, complete: bool) -> None:
    command: Any = _root()
    rest = list(words)
    while hasattr(command, "commands"):
        if not rest or rest[0] in _own_options(command):
            return
        if rest[0] not in command.commands:
            raise WrongCommand(f"fraudstream {' '.join(words)}: no command {rest[0]}")
        command = command.commands[rest.pop(0)]
    if {"-h", "--help"} & set(rest):
        return
    context = command.context_class(command, info_name=command.name)
    try:
        values, extra, _ = command.make_parser(context).parse_args(
            args=[word for word in rest if word != "…"]
        )
    except TyperException as error:
        raise WrongCommand(f"fraudstream {' '.join(words)}: {error}") from error
    if extra:
        raise WrongCommand(f"fraudstream {' '.join(words)}: unexpected {extra}")
    for param in command.params:
        _check_value(param, values.get(param.name), context, complete=complete)


def _own_options(group: Any) -> set[str]:
    """The options of a group itself, such as those that install the completion of a shell."""
    return {"-h", "--help"} | {option for param in group.params for option in param.opts}


def _check_value(param: Any, value: Any, context: Any, *, complete: bool) -> None:
    absent = not isinstance(value, str | bool | int | list | tuple) or not (value or value == 0)
    if absent and param.required and complete:
        raise WrongCommand(f"{context.info_name}: {param.name} is required")
    if isinstance(value, str) and type(param.type).__name__ in _CHECKED_VALUES and not value.isupper():
        try:
            param.type.convert(value, param, context)
        except TyperException as error:
            raise WrongCommand(f"{context.info_name}: {param.name}: {error}") from error


def _check_make(words: Sequence[str], variables: Sequence[str]) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    named = {word.partition("=")[0] for word in words if "=" in word} | set(variables)
    for target in {word for word in words if "=" not in word} - targets:
        raise WrongCommand(f"make {target}: no such target")
    for name in named:
        if f"$({name})" not in makefile:
            raise WrongCommand(f"make: nothing reads {name}")


def _check_python(words: Sequence[str]) -> None:
    if words[0] != "-m":
        raise WrongCommand(f"python {' '.join(words)}: name a module")
    if words[1] == "venv":
        return
    if words[1] == "pytest":
        for word in words[2:]:
            if "/" in word and not (REPOSITORY / word.partition("::")[0]).exists():
                raise WrongCommand(f"{word}: no such test")
        return
    source = _check_module(words[1]).read_text(encoding="utf-8")
    for option in (word for word in words[2:] if word.startswith("--")):
        if f'"{option}"' not in source:
            raise WrongCommand(f"python -m {words[1]}: no option {option}")


def _check_module(name: str) -> Path:
    spec = find_spec(name) if _is_ours(name) else None
    if spec is not None and spec.submodule_search_locations is not None:
        spec = find_spec(f"{name}.__main__")
    if spec is None or spec.origin is None:
        raise WrongCommand(f"python -m {name}: no such module")
    return Path(spec.origin)


def _is_ours(name: str) -> bool:
    path = REPOSITORY.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__main__.py").exists()


def _check_extras(words: Sequence[str]) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in re.findall(r"fraudstream\[(\w+)\]", " ".join(words)):
        if extra not in project["optional-dependencies"]:
            raise WrongCommand(f"pip install fraudstream[{extra}]: no such extra")


def _check_variables(names: Sequence[str]) -> None:
    for name in names:
        if name not in settings():
            raise WrongCommand(f"{name}: no such setting")


@cache
def settings() -> frozenset[str]:
    """The environment names of all settings."""
    return frozenset(name for name, _ in setting_names())


@cache
def _root() -> Any:
    return typer.main.get_command(app)
