"""Kafka requests that aiokafka does not implement, described by their fields, each in one version of the protocol.

aiokafka wants three classes for a request: the structure sent, the structure received, and one that picks a version of both.
Here they are made from the fields. Their names and order are those of https://kafka.apache.org/protocol.html.
"""

from types import new_class
from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, Schema, TaggedFields

Field = tuple[str, Any]
"""Name and type."""
NO_TAGS: dict[int, bytes] = {}
"""The value of the last field of each structure."""


def structure(*fields: Field) -> Schema:
    """A structure of a flexible version, which ends with tagged fields."""
    return Schema(*fields, ("tags", TaggedFields))


def array(*fields: Field) -> CompactArray:
    """An array of such structures."""
    return CompactArray(*fields, ("tags", TaggedFields))


class VersionedRequest:
    """A request in one version. Calling it with the values of ``sent`` gives a request for an aiokafka client.

    ``response`` makes a response from the values of ``received``.
    """

    def __init__(self, name: str, api_key: int, api_version: int, *, sent: Schema, received: Schema) -> None:
        api = {"API_KEY": api_key}
        version = api | {"API_VERSION": api_version}
        self.response: Any = _subclass(f"{name}Response", Response, version | {"SCHEMA": received})
        fields = version | {"SCHEMA": sent, "FLEXIBLE_VERSION": True, "RESPONSE_TYPE": self.response}
        struct = _subclass(f"{name}Struct", RequestStruct, fields)
        self._request: Any = _subclass(
            f"{name}Request", Request[struct], api | {"__init__": _keep, "build": _build}
        )

    def __call__(self, *values: Any) -> Any:
        return self._request(values)


def _subclass(name: str, base: Any, attributes: dict[str, Any]) -> Any:
    """A class as its statement would make it: aiokafka's bases check the attributes while it is created."""
    return new_class(name, (base,), exec_body=lambda namespace: namespace.update(attributes))


def _keep(request: Any, values: tuple[Any, ...]) -> None:
    request.values = values


def _build(request: Any, struct: Any) -> Any:
    return struct(*request.values, NO_TAGS)
