"""Reads the environment: ``FRAUDSTREAM_<GROUP>_<FIELD>`` sets a field; an unknown name with that prefix is an error."""

import difflib
import types
from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import fields

from app.errors import ConfigurationError
from app.settings.kinds import PREFIX, is_address, requirement, variable


def read_groups(settings: type[msgspec.Struct], environ: Mapping[str, str]) -> dict[str, msgspec.Struct]:
    """Read every group, by name. Raises ConfigurationError, which names the setting and the remedy."""
    groups = dict(groups_of(settings))
    known = {variable(name, field.name) for name, group in groups.items() for field in fields(group)}
    _refuse_unknown(environ, known)
    return {name: _read_group(name, group, environ) for name, group in groups.items()}


def groups_of(settings: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Yield the name and the class of each group."""
    for field in fields(settings):
        yield field.name, field.type


def _read_group(name: str, group: type[msgspec.Struct], environ: Mapping[str, str]) -> msgspec.Struct:
    given: dict[str, object] = {}
    for field in fields(group):
        setting = variable(name, field.name)
        if setting in environ:
            if is_address(field.name):
                _refuse_credentials(setting, environ[setting], _remedy(name, group))
            given[field.name] = _read_value(setting, field.type, environ[setting])
    return group(**given)


def _refuse_credentials(setting: str, text: str, remedy: str) -> None:
    """An address is printed in messages, logs and by `fraudstream settings`, and `ps` shows the environment."""
    if "@" in text:
        raise ConfigurationError(f"{setting} may not contain a user, a password or any other @. {remedy}")


def _remedy(name: str, group: type[msgspec.Struct]) -> str:
    files = [variable(name, field) for field in ("username", "password_file") if hasattr(group, field)]
    return f"Use {' and '.join(files)}." if files else "Remove them: docs/operate/security.md."


def _read_value(setting: str, kind: type | types.GenericAlias, text: str) -> object:
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"{setting}={text}: must be {_article(requirement(kind))}. Correct it or unset it."
        ) from error


def _article(requirement: str) -> str:
    if requirement.startswith(("one of", "text")):
        return requirement
    return f"{'an' if requirement[0] in 'aeiou' else 'a'} {requirement}"


def _refuse_unknown(environ: Mapping[str, str], known: set[str]) -> None:
    for name in environ:
        if name.startswith(PREFIX) and name not in known:
            # The prefix is common to all names; with it, any two would look similar.
            close = difflib.get_close_matches(
                name.removeprefix(PREFIX), [n.removeprefix(PREFIX) for n in known], n=1
            )
            hint = (
                f"Did you mean {PREFIX}{close[0]}?"
                if close
                else "`fraudstream settings` lists the known ones."
            )
            raise ConfigurationError(f"{name} is not a setting. {hint}")
