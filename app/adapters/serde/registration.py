"""Registers the service's own schemas under their subjects and checks them against registered versions."""

from typing import Literal, Protocol

import msgspec

from app.adapters.schema_registry.client import Version
from app.adapters.schema_registry.subjects import Subject
from app.adapters.schema_registry.writer_schema import WriterSchema
from app.adapters.serde.event_encoder import own_schema

Format = Literal["avro", "protobuf"]


class SubjectRegistry(Protocol):
    """The methods of RegistryClient that registration needs."""

    def newest(self, subject: str) -> Version | None: ...

    def id_of(self, subject: str, schema: WriterSchema) -> int | None: ...

    def register(self, subject: str, schema: WriterSchema) -> int | None: ...

    def level(self, subject: str) -> str | None: ...

    def set_level(self, subject: str, level: str) -> None: ...

    def objections(self, subject: str, schema: WriterSchema) -> list[str] | None: ...


class RegistrationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one of the service's schemas in the registry."""

    subject: str
    level: str | None
    """Compatibility level of the subject; None where the registry's default applies."""
    newest: int | None
    """The latest registered version, None without one."""
    id: int | None
    """The id of our schema, None where it is not registered."""
    problems: list[str]
    """Reasons not to deploy a release with our schema; empty when there are none."""


def register(registry: SubjectRegistry, subject: Subject, form: Format) -> RegistrationStatus:
    """Register our schema and set the subject's level, unless there are problems. Raises RegistryAway."""
    before = check(registry, subject, form, level_matters=False)
    if not before.problems:
        registry.register(subject.name, own_schema(subject.event, form))
        registry.set_level(subject.name, subject.level)
    return check(registry, subject, form)


def check(
    registry: SubjectRegistry, subject: Subject, form: Format, *, level_matters: bool = True
) -> RegistrationStatus:
    """Check that our schema is registered or may be the subject's next version. Changes nothing. Raises RegistryAway."""
    schema, newest = own_schema(subject.event, form), registry.newest(subject.name)
    same_kind = newest is not None and newest.schema.kind == schema.kind
    found = registry.id_of(subject.name, schema) if same_kind else None
    level = None if newest is None else registry.level(subject.name)
    return RegistrationStatus(
        subject=subject.name,
        level=level,
        newest=None if newest is None else newest.version,
        id=found,
        problems=[
            *_of_level(subject, newest, level if level_matters else subject.level),
            *_of_schema(registry, subject, schema, newest, found),
        ],
    )


def _of_level(subject: Subject, newest: Version | None, level: str | None) -> list[str]:
    if newest is None or level == subject.level:
        return []
    found = level or "the registry's default"
    return [
        f"its compatibility is {found}, not {subject.level}: `fraudstream schemas register` sets it",
    ]


def _of_schema(
    registry: SubjectRegistry,
    subject: Subject,
    schema: WriterSchema,
    newest: Version | None,
    found: int | None,
) -> list[str]:
    if newest is None or found is not None:
        return []
    if newest.schema.kind != schema.kind:
        return [f"its schemas are {newest.schema.kind}, not {schema.kind}: choose the other --format"]
    return [
        f"not compatible with version {newest.version}: {reason}"
        for reason in registry.objections(subject.name, schema) or ()
    ]
