"""Protobuf schemas of every event, generated from the domain: as .proto text and as descriptors.

Every singular field is ``optional``, which distinguishes an amount of 0 from a missing one. Enums are strings, so that a
value added by a later release does not break the readers of this one.
"""

from typing import NamedTuple

import msgspec
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from msgspec import inspect

from app.adapters.serde.event_types import EVENTS, NAMESPACES, fields, plain
from app.adapters.serde.protobuf_numbers import NUMBERS

NUMBER = "Number"
_SCALARS: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.EnumType: "string",
    inspect.IntType: "int64",
    inspect.FloatType: "double",
    inspect.BoolType: "bool",
}


class Member(NamedTuple):
    """A field of a message; ``kind`` is the name of a scalar type or of a message."""

    name: str
    number: int
    kind: str
    shape: str
    """``optional``, ``repeated`` or ``map``."""


Messages = dict[str, list[Member]]


def messages(event: type[msgspec.Struct]) -> Messages:
    """The event's message and, after it, the messages that it uses."""
    found: Messages = {}
    _collect(event, found)
    return found


def text(event: type[msgspec.Struct]) -> str:
    """The .proto text, as published in docs/schemas and registered."""
    parts = ['syntax = "proto3";', f"package {NAMESPACES[event]};"]
    for name, members in messages(event).items():
        lines = [f"message {name} {{", *_reserved(name, members), *map(_line, members), "}"]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def documents() -> dict[str, str]:
    """The text of every schema by file name."""
    return {f"{topic}.proto": text(event) for topic, event in EVENTS.items()}


def descriptor(event: type[msgspec.Struct]) -> FileDescriptorProto:
    """The descriptor that protoc would generate from ``text``."""
    package = NAMESPACES[event]
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, members in messages(event).items():
        file.message_type.append(_message(package, name, members))
    return file


def _collect(event: type[msgspec.Struct], found: Messages) -> None:
    name = event.__name__
    members = found.setdefault(name, [])
    for field in fields(event):
        kind, shape = _kind(field.type, found)
        members.append(Member(field.name, NUMBERS[name][field.name], kind, shape))


def _kind(declared: inspect.Type, found: Messages) -> tuple[str, str]:
    kind = plain(declared).kind
    if isinstance(kind, inspect.ListType):
        return _item(kind.item_type, found), "repeated"
    if isinstance(kind, inspect.DictType):
        return _item(kind.value_type, found), "map"
    return _item(kind, found), "optional"


def _item(declared: inspect.Type, found: Messages) -> str:
    kind, nullable, _ = plain(declared)
    if isinstance(kind, inspect.StructType):
        if kind.cls.__name__ not in found:
            _collect(kind.cls, found)
        return str(kind.cls.__name__)
    if nullable:
        found.setdefault(NUMBER, [Member("value", NUMBERS[NUMBER]["value"], "double", "optional")])
        return NUMBER
    return _SCALARS[type(kind)]


def _line(member: Member) -> str:
    name, number, kind, shape = member
    declared = f"map<string, {kind}>" if shape == "map" else f"{shape} {kind}"
    return f"  {declared} {name} = {number};"


def _reserved(message: str, members: list[Member]) -> list[str]:
    """Lines that reserve numbers and names of fields of earlier releases."""
    present = {member.name for member in members}
    return [
        f'  reserved {number}; reserved "{name}";'
        for name, number in NUMBERS[message].items()
        if name not in present
    ]


def _message(package: str, name: str, members: list[Member]) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for member in members:
        field = message.field.add(name=member.name, number=member.number)
        if member.shape == "map":
            entry = _entry(package, member)
            message.nested_type.append(entry)
            _set_type(field, package, f"{name}.{entry.name}", "repeated")
        else:
            _set_type(field, package, member.kind, member.shape)
            if member.shape == "optional":
                _give_presence(message, field)
    return message


def _give_presence(message: DescriptorProto, field: FieldDescriptorProto) -> None:
    """Presence as protoc encodes it: a synthetic oneof with this field alone."""
    field.proto3_optional = True
    field.oneof_index = len(message.oneof_decl)
    message.oneof_decl.add(name=f"_{field.name}")


def _entry(package: str, member: Member) -> DescriptorProto:
    words = "".join(word.capitalize() for word in member.name.split("_"))
    entry = DescriptorProto(name=f"{words}Entry")
    entry.options.map_entry = True
    _set_type(entry.field.add(name="key", number=1), package, "string", "optional")
    _set_type(entry.field.add(name="value", number=2), package, member.kind, "optional")
    return entry


def _set_type(field: FieldDescriptorProto, package: str, kind: str, shape: str) -> None:
    repeated = shape == "repeated"
    field.label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
    if kind in _SCALARS.values():
        field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
    else:
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".{package}.{kind}"
